import { decideRound } from '../../src/dispatch/decide.ts';
import { byTenant } from '../../src/dispatch/order.ts';
import type { QueuedJob, Snapshot } from '../../src/dispatch/snapshot.ts';
import { countEnd, entryOf, openState } from '../../src/dispatch/state.ts';

export type Forward = {
  /** When each job started. */
  startedAt: Map<string, number>;
  /** Petaflop-seconds by tenant of all that started. */
  use: Map<string, number>;
};

/** Rounds of decisions until a time: jobs end when they are expected to, and each tenant submits again what `refill` says. */
export function runForward(
  from: Snapshot,
  untilMs: number,
  refill: (tenantId: string, waiting: number, now: number) => QueuedJob[] = () => [],
): Forward {
  const state = openState(from);
  const startedAt = new Map<string, number>();
  const use = new Map<string, number>();
  let waiting = from.queued;
  while (state.now <= untilMs) {
    for (const { id } of from.tenants)
      waiting = [...waiting, ...refill(id, waiting.filter(({ tenantId }) => tenantId === id).length, state.now)];
    const { starts, preemptions } = decideRound(state, byTenant(waiting));
    for (const { jobId, tenantId, choice } of starts) {
      startedAt.set(jobId, state.now);
      use.set(tenantId, (use.get(tenantId) ?? 0) + entryOf(choice));
    }
    const claimants = new Set(preemptions.map(({ forJobId }) => forJobId));
    waiting = waiting
      .filter(({ id }) => !startedAt.has(id))
      .map((job) => (claimants.has(job.id) ? { ...job, hasClaim: true } : job));
    for (const { jobId } of preemptions) countEnd(state, jobId);
    const nextEnd = Math.min(...[...state.running.values()].map(({ endsAt }) => endsAt.p50));
    if (nextEnd === Infinity && preemptions.length === 0) break;
    state.now = preemptions.length > 0 ? state.now + 1 : Math.max(nextEnd, state.now + 1);
    for (const { id, endsAt } of state.running.values()) if (endsAt.p50 <= state.now) countEnd(state, id);
  }
  return { startedAt, use };
}
