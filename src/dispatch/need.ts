import type { JobSpec } from '../protocol/job-spec.ts';
import type { Offer } from '../protocol/quote.ts';
import type { Need } from './snapshot.ts';

const gib = 1024 ** 3;
const defaultMemoryPerCoreBytes = 2 * gib;
const defaultDiskBytes = 20 * gib;

/** What a job takes of a provider that can run out, on each node: what its spec says, else what docs/dispatch.md lists. */
export function needOf(
  { resources }: Pick<JobSpec, 'resources'>,
  { accelerators: { kind, count }, nodes }: Offer,
  ceiling: { memoryBytes: number; diskBytes: number },
): Need {
  const isCpu = kind === 'cpu';
  const cpus = isCpu ? count : (resources?.cpus ?? count);
  return {
    cpus,
    memoryBytes:
      resources?.memoryGiB === undefined
        ? Math.min(cpus * defaultMemoryPerCoreBytes, ceiling.memoryBytes / nodes)
        : resources.memoryGiB * gib,
    diskBytes:
      resources?.diskGiB === undefined
        ? Math.min(defaultDiskBytes, ceiling.diskBytes / nodes / 4)
        : resources.diskGiB * gib,
    gpus: isCpu ? { kind: '', count: 0 } : { kind, count },
    nodes,
  };
}
