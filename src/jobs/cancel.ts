import type { Clock } from '../core/time.ts';
import type { Database } from '../db/database.ts';
import type { Stop } from './stop.ts';
import { move } from './store.ts';

export type CancelDeps = { db: Database; now: Clock; stop: Stop };

/** Cancels a job, whatever it is doing. Cancelling what has ended changes nothing. */
export function createCancel({ db, now, stop }: CancelDeps) {
  return async (jobId: string): Promise<void> => {
    const message = 'Cancelled by its tenant.';
    const change = { jobId, from: 'queued', to: 'cancelled', at: now(), attempt: null, reason: 'cancelled', message } as const;
    const wasQueued = await db.transaction((tx) => move(tx, { ...change, set: { finishedAt: change.at } }));
    // A job that left the queue in between is running now, and stopped as such.
    if (!wasQueued) await stop(jobId, 'cancelled', message);
  };
}
