import type { Clock } from '../core/time.ts';
import type { Database, Sql } from '../db/database.ts';
import { writeAudit } from '../tenants/audit.ts';
import { dropUnmade, hasAllEnded } from './array-store.ts';
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

/** Who wishes it, as the audit names it. An array's tasks are stopped with it, by nobody else's wish. */
export type Canceller = { actor: string; isOperator: boolean };

export type Cancel = (jobId: string, by: Canceller | 'its-array') => Promise<void>;

/** Cancels a job, whatever it is doing; of an array all tasks. Cancelling what has ended changes nothing. */
export function createCancel({ db, now, wakeSettle, wakeDispatch }: CancelDeps): Cancel {
  return async (jobId, by) => {
    const attemptId = await db.transaction((tx) => cancelIn(tx, { jobId, by, at: now() }));
    if (attemptId === undefined) wakeDispatch();
    else await wakeSettle(attemptId);
  };
}

type Wish = { jobId: string; by: Canceller | 'its-array'; at: Date };

async function cancelIn(tx: Sql, { jobId, by, at }: Wish): Promise<string | undefined> {
  const ends = await dropUnmade(tx, jobId);
  const job = await lockJob(tx, jobId);
  if (job === undefined || isEnd(job.state)) return undefined;
  // A job that is stopping already keeps its reason; the wish keeps it from being tried again.
  const isFirst = await requestStop(tx, jobId, at);
  if (isFirst && by !== 'its-array')
    await writeAudit(tx, { actor: by.actor, tenantId: job.tenantId, action: 'job.cancel', target: jobId });
  const message = messageOf(by);
  if (ends !== undefined) {
    if (hasAllEnded(ends)) await endArray(tx, jobId, ends, at);
    // Its tasks are stopped one by one, by `tend`; the last of them ends the array.
    else await moveArray(tx, jobId, { to: 'stopping', reason: 'cancelled', message, at });
    return undefined;
  }
  if (job.state === 'queued') {
    const change = { jobId, from: 'queued', to: 'cancelled', at, attempt: null, reason: 'cancelled', message } as const;
    await move(tx, { ...change, set: { finishedAt: at } });
    return undefined;
  }
  return stopIn(tx, { jobId, attempt: job.attemptNumber, reason: 'cancelled', message, exitCode: null, at });
}

function messageOf(by: Wish['by']): string {
  if (by === 'its-array') return 'Cancelled with its array.';
  return by.isOperator ? 'Cancelled by an operator.' : 'Cancelled by its tenant.';
}
