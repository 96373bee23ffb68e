import type { Clock } from '../core/time.ts';
import type { Database, Sql } from '../db/database.ts';
import { dropUnmade, hasAllEnded, type TaskEnds } from './array-store.ts';
import { isEnd } from './state.ts';
import { stopIn } from './stop.ts';
import { endArray, move, moveArray } from './move-store.ts';
import { lockJob, requestStop } from './store.ts';

export type CancelDeps = {
  db: Database;
  now: Clock;
  wakeSettle: (attemptId: string) => Promise<void>;
  /** Others may have waited for this end, and an array's tasks are stopped on the way to a cycle. */
  wakeDispatch: () => void;
};

const message = 'Cancelled by its tenant.';

/** Cancels a job, whatever it is doing; of an array all tasks. Cancelling what has ended changes nothing. */
export function createCancel({ db, now, wakeSettle, wakeDispatch }: CancelDeps) {
  return async (jobId: string): Promise<void> => {
    const attemptId = await db.transaction((tx) => cancelIn(tx, jobId, now()));
    if (attemptId === undefined) wakeDispatch();
    else await wakeSettle(attemptId);
  };
}

async function cancelIn(tx: Sql, jobId: string, at: Date): Promise<string | undefined> {
  const ends = await dropUnmade(tx, jobId);
  const job = await lockJob(tx, jobId);
  if (job === undefined || isEnd(job.state)) return undefined;
  // A job that is stopping already keeps its reason; the wish keeps it from being tried again.
  await requestStop(tx, jobId, at);
  if (ends !== undefined) {
    await cancelArray(tx, jobId, ends, at);
    return undefined;
  }
  if (job.state === 'queued') {
    const change = { jobId, from: 'queued', to: 'cancelled', at, attempt: null, reason: 'cancelled', message } as const;
    await move(tx, { ...change, set: { finishedAt: at } });
    return undefined;
  }
  return stopIn(tx, { jobId, attempt: job.attemptNumber, reason: 'cancelled', message, exitCode: null, at });
}

/** Its tasks are stopped one by one, by `tend`; the last of them ends the array. */
async function cancelArray(tx: Sql, arrayId: string, ends: TaskEnds, at: Date): Promise<void> {
  if (hasAllEnded(ends)) return endArray(tx, arrayId, ends, at);
  await moveArray(tx, arrayId, { to: 'stopping', reason: 'cancelled', message, at });
}
