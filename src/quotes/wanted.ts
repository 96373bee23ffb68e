import type { Resources } from '../protocol/job-spec.ts';
import { chipsOfSlice } from './slice-sizes.ts';

/** What the spec asks for, per node. `count` null: weir chooses it; `nodes` null: not stated. */
export type Wanted = {
  kind: string;
  count: number | null;
  nodes: number | null;
  /** The slice's name where a TPU is wanted. */
  slice: string | null;
  cpus: number | null;
  memoryBytes: number | null;
  diskBytes: number | null;
  market: 'spot' | 'on-demand' | 'any';
  providers: readonly string[] | null;
  regions: readonly string[] | null;
};

const bytesPerGiB = 1024 ** 3;

/** @throws WeirError `invalid` for a TPU slice that does not exist. */
export function wantedOf(resources: Resources = {}): Wanted {
  const { memoryGiB, diskGiB, cpus = null, market = 'any', providers = null, regions = null } = resources;
  return {
    ...unitsOf(resources),
    cpus,
    memoryBytes: inBytes(memoryGiB),
    diskBytes: inBytes(diskGiB),
    market,
    providers,
    regions,
  };
}

function inBytes(gib: number | undefined): number | null {
  return gib === undefined ? null : gib * bytesPerGiB;
}

/** A stated count is exact; of how many nodes, where that is not stated, is for `withTotalAsGang` to say. */
function unitsOf({ accelerators, cpus = 1, nodes }: Resources): Pick<Wanted, 'kind' | 'count' | 'nodes' | 'slice'> {
  if (accelerators === undefined || accelerators === 'none')
    return { kind: 'cpu', count: cpus, nodes: nodes ?? 1, slice: null };
  if (/^v\d/.test(accelerators)) {
    const [generation = '', size] = accelerators.split('-');
    return { kind: generation, count: chipsOfSlice(generation, Number(size)), nodes: nodes ?? 1, slice: accelerators };
  }
  const [kind = '', count] = accelerators.split(':');
  if (count === undefined) return { kind, count: null, nodes: nodes ?? null, slice: null };
  return { kind, count: Number(count), nodes: nodes ?? null, slice: null };
}
