import type { Clock } from '../core/time.ts';
import type { Database } from '../db/database.ts';
import type { AnnouncementType } from '../protocol/webhook.ts';
import { recordDeliveries } from '../webhooks/store.ts';
import { recordEvent } from './move-store.ts';
import { markAnnounced } from './store.ts';

export type NewAnnouncement = { jobId: string; attempt: number; type: AnnouncementType; message: string };
export type Announce = (announcement: NewAnnouncement) => Promise<void>;

/**
 * Writes an event that a job has once in its life, while this attempt runs, and tells the addresses that asked for it. Saying it again
 * changes nothing.
 */
export function createAnnounce({ db, now }: { db: Database; now: Clock }): Announce {
  return ({ jobId, attempt, type, message }) =>
    db.transaction(async (tx) => {
      const teller = await markAnnounced(tx, { jobId, attempt, type });
      if (teller === undefined) return;
      const event = { at: now(), attempt, reason: null, message };
      await recordEvent(tx, { ...event, jobId, type, from: null, to: null });
      await recordDeliveries(tx, teller, { ...event, to: 'running', announcement: type });
    });
}
