import type { Capacity } from '../providers/provider.ts';
import type { Pool } from './snapshot.ts';

/** Of each provider by name; undefined where it does not run out. */
export type Capacities = ReadonlyMap<string, Capacity | undefined>;

/** A provider of which nothing is taken. */
export function wholePool(provider: string, capacity: Capacity | undefined): Pool {
  if (capacity === undefined)
    return { provider, cpus: Infinity, memoryBytes: Infinity, diskBytes: Infinity, gpus: { kind: '', free: [] } };
  const { cpus, memoryBytes, diskBytes, gpus } = capacity;
  const free = Array.from({ length: gpus.count }, (_, index) => index);
  return { provider, cpus, memoryBytes, diskBytes, gpus: { kind: gpus.kind, free } };
}

/** What all pools that can be counted could give at once, in PFLOP/s. */
export function petaflopsOf(capacities: Capacities, petaflopsPerAccelerator: (kind: string) => number): number {
  return [...capacities.values()].reduce((sum, capacity) => {
    if (capacity === undefined) return sum;
    const { cpus, gpus } = capacity;
    return sum + cpus * petaflopsPerAccelerator('cpu') + gpus.count * petaflopsPerAccelerator(gpus.kind);
  }, 0);
}
