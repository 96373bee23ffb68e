import type { Clock } from '../core/time.ts';
import type { Database, Sql } from '../db/database.ts';
import { isEnd } from './state.ts';
import { stopIn } from './stop.ts';
import { lockJob, move, requestStop } from './store.ts';

export type CancelDeps = { db: Database; now: Clock; wakeSettle: (attemptId: string) => Promise<void> };

const message = 'Cancelled by its tenant.';

/** Cancels a job, whatever it is doing. Cancelling what has ended changes nothing. */
export function createCancel({ db, now, wakeSettle }: CancelDeps) {
  return async (jobId: string): Promise<void> => {
    const attemptId = await db.transaction((tx) => cancelIn(tx, jobId, now()));
    if (attemptId !== undefined) await wakeSettle(attemptId);
  };
}

async function cancelIn(tx: Sql, jobId: string, at: Date): Promise<string | undefined> {
  const job = await lockJob(tx, jobId);
  if (job === undefined || isEnd(job.state)) return undefined;
  if (job.state === 'queued') {
    const change = { jobId, from: 'queued', to: 'cancelled', at, attempt: null, reason: 'cancelled', message } as const;
    await move(tx, { ...change, set: { finishedAt: at } });
    return undefined;
  }
  // A job that is stopping already keeps its reason; the wish keeps it from being tried again.
  await requestStop(tx, jobId, at);
  return stopIn(tx, { jobId, attempt: job.attemptNumber, reason: 'cancelled', message, exitCode: null, at });
}
