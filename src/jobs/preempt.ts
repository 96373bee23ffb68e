import type { Clock } from '../core/time.ts';
import type { Database } from '../db/database.ts';
import { recordEvent } from './move-store.ts';
import { stopIn } from './stop.ts';

export type PreemptDeps = { db: Database; now: Clock; wakeSettle: (attemptId: string) => Promise<void> };

/** Which attempt makes way, and for whom. */
export type PreemptWish = {
  jobId: string;
  tenantId: string;
  attempt: number;
  forJobId: string;
  forTenantId: string;
};

/**
 * Has a running job make way for one that is guaranteed its place, or that its own tenant ranks higher. It gets notice and its
 * grace, and goes back to its place in the queue; that costs it none of its retries. The history of both says so.
 */
export function createPreempt({ db, now, wakeSettle }: PreemptDeps) {
  return async ({ jobId, tenantId, attempt, forJobId, forTenantId }: PreemptWish): Promise<void> => {
    const attemptId = await db.transaction(async (tx) => {
      const message =
        forTenantId === tenantId
          ? `It makes way for ${forJobId}, which has a higher priority, and goes back to its place in the queue.`
          : 'It ran on capacity that another tenant is guaranteed and now needs, and goes back to its place in the queue.';
      const at = now();
      const id = await stopIn(tx, { jobId, attempt, reason: 'preemption', message, exitCode: null, at });
      if (id === undefined) return undefined;
      await tx.attempt.update({ where: { id }, data: { preemptedFor: forJobId } });
      const victim = forTenantId === tenantId ? jobId : 'A job of another tenant';
      await recordEvent(tx, {
        jobId: forJobId,
        at,
        type: 'dispatch.claimed',
        attempt: null,
        from: null,
        to: null,
        reason: null,
        message: `${victim} makes way for it: it was given notice, and this job has the place once it has ended.`,
      });
      return id;
    });
    if (attemptId !== undefined) await wakeSettle(attemptId);
  };
}
