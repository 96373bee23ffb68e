import { WeirError } from '../core/errors.ts';
import type { Sql } from '../db/database.ts';
import type { JobSpec } from '../protocol/job-spec.ts';
import { readStates } from './dependency-store.ts';
import { dependencyState } from './state.ts';

/**
 * Refuses dependencies on jobs that this tenant does not have, and on ends that can't come any more. A circle can't be made: a
 * job's dependencies are there before it is.
 * @throws WeirError `invalid` with every fault, `can-never-start` with the blockers.
 */
export async function requireDependencies(sql: Sql, tenantId: string, { dependsOn = [] }: JobSpec): Promise<void> {
  if (dependsOn.length === 0) return;
  const ids = dependsOn.map(({ job }) => job);
  const states = await readStates(sql, tenantId, ids);
  const faults = ids.flatMap((id, index) =>
    states.has(id) ? [] : [{ pointer: `/dependsOn/${index}/job`, detail: `There is no job ${id}.` }],
  );
  if (faults.length > 0) throw new WeirError('invalid', 'The spec depends on jobs that do not exist.', { faults });
  const blockers = dependsOn.flatMap(({ job, on = 'success' }) => {
    const state = states.get(job) ?? 'queued';
    if (dependencyState(on, state) !== 'broken') return [];
    const message = `${job} is ${state}, so its ${on} can't come any more.`;
    return [{ code: 'dependency', message, unblocks: `Depend on ${job} with on: end, on another job, or on none.` }];
  });
  if (blockers.length === 0) return;
  throw new WeirError('can-never-start', blockers.map(({ message }) => message).join(' '), {
    extra: { blockers, smallestChange: blockers.map(({ unblocks }) => unblocks).join(' ') },
  });
}
