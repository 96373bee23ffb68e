import type { Clock } from '../core/time.ts';
import type { Database } from '../db/database.ts';
import { recordEvent } from './move-store.ts';
import { markAnnounced } from './store.ts';

export type NewAnnouncement = { jobId: string; attempt: number; type: string; message: string };
export type Announce = (announcement: NewAnnouncement) => Promise<void>;

/** Writes an event that a job has once in its life, while this attempt runs. Saying it again changes nothing. */
export function createAnnounce({ db, now }: { db: Database; now: Clock }): Announce {
  return ({ jobId, attempt, type, message }) =>
    db.transaction(async (tx) => {
      if (!(await markAnnounced(tx, { jobId, attempt, type }))) return;
      await recordEvent(tx, { jobId, at: now(), type, attempt, from: null, to: null, reason: null, message });
    });
}
