import { invalid } from '../core/errors.ts';
import type { Resources } from '../protocol/job-spec.ts';

/** What the spec asks for, per node. `count` null: weir chooses it; `nodes` null: weir may choose it with the count. */
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

/** These generations name their slices by TensorCores, two a chip; v5e and v6e by chips. */
const namedByCores = new Set(['v2', 'v3', 'v4', 'v5p']);

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

/** A stated count is exact, and so is one node of it. */
function unitsOf({ accelerators, cpus = 1, nodes }: Resources): Pick<Wanted, 'kind' | 'count' | 'nodes' | 'slice'> {
  if (accelerators === undefined) return { kind: 'cpu', count: cpus, nodes: nodes ?? 1, slice: null };
  if (/^v\d/.test(accelerators)) {
    const [generation = '', size] = accelerators.split('-');
    return { kind: generation, count: chipsOf(generation, Number(size)), nodes: nodes ?? 1, slice: accelerators };
  }
  const [kind = '', count] = accelerators.split(':');
  if (count === undefined) return { kind, count: null, nodes: nodes ?? null, slice: null };
  return { kind, count: Number(count), nodes: nodes ?? 1, slice: null };
}

function chipsOf(generation: string, size: number): number {
  const isByCores = namedByCores.has(generation);
  const smallest = isByCores ? 8 : 1;
  const isMultiple = size >= smallest && (size < 4 ? size === 1 : size % 4 === 0);
  if (isMultiple) return isByCores ? size / 2 : size;
  const nearest = Math.max(smallest, Math.ceil(size / 4) * 4);
  throw invalid(
    '/resources/accelerators',
    `There is no slice ${generation}-${size}: the next larger one is ${generation}-${nearest}${isByCores ? ', which counts cores, two a chip' : ''}.`,
  );
}
