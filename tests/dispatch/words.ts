import type { Decisions } from '../../src/dispatch/decisions.ts';
import type { Quota } from '../../src/dispatch/snapshot.ts';
import { choice } from './snapshots.ts';

/** Decisions and quotas in few words, for tests that tell many. */
export const started = ({ starts }: Decisions) => starts.map(({ jobId }) => jobId);
export const blocked = ({ waits }: Decisions) =>
  waits.map(({ jobId, blockers }) => `${jobId}: ${blockers.map(({ code }) => code).join(' ')}`);
export const preempted = ({ preemptions }: Decisions) =>
  preemptions.map(({ jobId, forJobId }) => `${jobId} for ${forJobId}`).toSorted();

export const cores = (guaranteed: number, limits: Partial<Quota> = {}): { cpu: Quota } => ({
  cpu: { guaranteed, borrowing: Infinity, lending: guaranteed, ...limits },
});
export const sized = (cpus: number, nodes = 1) => ({ choices: [choice({ cpus, nodes })] });
