import type { Clock } from '../core/time.ts';
import type { Database } from '../db/database.ts';
import { countInstances } from '../instances/list-store.ts';
import type { Remembered } from '../instances/shortage.ts';
import { listShortages } from '../instances/shortage-store.ts';
import type { PoolCapacity } from '../protocol/instance.ts';
import type { Capacity } from '../providers/provider.ts';
import type { Capacities } from './capacity.ts';
import { poolOf } from './read-snapshot.ts';
import { readHeld, type HeldRow } from './store.ts';

export type PoolCapacityDeps = {
  db: Database;
  now: Clock;
  /** Of each provider that is connected. */
  capacities: () => Promise<Capacities>;
};

/** What there is of each provider, what of it is held, and what could not be had lately. */
export function createPoolCapacity({ db, now, capacities }: PoolCapacityDeps) {
  return async (): Promise<PoolCapacity> => {
    const [known, held, shortages, instances] = await Promise.all([
      capacities(),
      readHeld(db.client),
      listShortages(db.client, now()),
      countInstances(db.client),
    ]);
    return {
      providers: [...known].map(([provider, capacity]) => ({
        provider,
        whole: capacity === undefined ? null : resourcesOf(capacity),
        free: capacity === undefined ? null : freeOf(provider, capacity, held),
        held: heldByKind(held.filter(({ offer }) => offer.provider === provider)),
        instances: instances.get(provider) ?? 0,
      })),
      shortages: shortages.toSorted((a, b) => b.at.getTime() - a.at.getTime()).map(shortageView),
    };
  };
}

function shortageView({ provider, of, cause, message, at, heldUntil }: Remembered): PoolCapacity['shortages'][number] {
  const { region = null, zone = null, machineType = null, kind = null, market = null } = of;
  const ware = { provider, region, zone, machineType, kind, market };
  return { ...ware, cause, message, at: at.toISOString(), askedAgainAt: heldUntil.toISOString() };
}

type Resources = NonNullable<PoolCapacity['providers'][number]['whole']>;

function resourcesOf({ cpus, memoryBytes, diskBytes, gpus }: Capacity): Resources {
  return { cpus, memoryBytes, diskBytes, accelerators: gpus };
}

/** A machine may have been given more than it has now, as where an operator has lowered what jobs may use. */
function freeOf(provider: string, capacity: Capacity, held: HeldRow[]): Resources {
  const { cpus, memoryBytes, diskBytes, gpus } = poolOf(provider, capacity, held);
  return {
    cpus: Math.max(0, cpus),
    memoryBytes: Math.max(0, memoryBytes),
    diskBytes: Math.max(0, diskBytes),
    accelerators: { kind: gpus.kind, count: gpus.free.length },
  };
}

function heldByKind(held: HeldRow[]): { kind: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const { offer } of held) {
    const { kind, count } = offer.accelerators;
    counts.set(kind, (counts.get(kind) ?? 0) + count * offer.nodes);
  }
  return [...counts].map(([kind, count]) => ({ kind, count }));
}
