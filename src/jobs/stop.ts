import type { Clock } from '../core/time.ts';
import type { Database, Sql } from '../db/database.ts';
import type { StopReason } from './state.ts';
import { move } from './move-store.ts';
import { lockJob, type LockedJob } from './store.ts';

export type StopDeps = { db: Database; now: Clock; wakeSettle: (attemptId: string) => Promise<void> };

/** Which attempt has to stop, and why. By its number, since whoever says so may have looked before the job was tried again. */
export type StopWish = { jobId: string; attempt: number; reason: StopReason; message: string };

export type Stop = (wish: StopWish) => Promise<boolean>;

/**
 * The one way out: success, failure, cancel, limit or lost machine, each only says so here. Settling does the rest.
 * False where the attempt was not provisioning or running: the first reason stays.
 */
export function createStop({ db, now, wakeSettle }: StopDeps): Stop {
  return async (wish) => {
    const attemptId = await db.transaction((tx) => stopIn(tx, { ...wish, exitCode: null, at: now() }));
    if (attemptId !== undefined) await wakeSettle(attemptId);
    return attemptId !== undefined;
  };
}

type Stopping = StopWish & { exitCode: number | null; at: Date };

/** The same within a transaction. Answers the attempt that now has to be settled. */
export async function stopIn(tx: Sql, stopping: Stopping): Promise<string | undefined> {
  return stopHeld(tx, await lockJob(tx, stopping.jobId), stopping);
}

/** The same of a job whose row the transaction holds already. */
export async function stopHeld(
  tx: Sql,
  job: LockedJob | undefined,
  { jobId, attempt: number, reason, message, exitCode, at }: Stopping,
): Promise<string | undefined> {
  if (job?.attemptNumber !== number || (job.state !== 'provisioning' && job.state !== 'running')) return undefined;
  await move(tx, { jobId, from: job.state, to: 'stopping', at, attempt: number, reason, message });
  const [stopped] = await tx.$queryRaw<{ id: string }[]>`
    UPDATE attempt SET state = 'stopping', reason = ${reason}, message = ${message}, exit_code = ${exitCode}::int,
      stopping_at = ${at}
    WHERE job_id = ${jobId} AND number = ${number} RETURNING id`;
  return stopped?.id;
}
