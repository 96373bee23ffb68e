import type { Bucket } from '../artifacts/bucket.ts';
import { eachRow } from '../core/each-row.ts';
import type { Database } from '../db/database.ts';
import { deleteLog, listOldLogs } from './archive-store.ts';

export type LogRetentionDeps = { db: Database; bucket: Pick<Bucket, 'remove'>; onError: (error: unknown) => void };

/** Removes the logs of jobs that ended before then. Answers how many. The objects go before the rows that know them. */
export function removeOldLogs({ db, bucket, onError }: LogRetentionDeps, before: Date): Promise<number> {
  return eachRow({
    list: (after, limit) => listOldLogs(db.client, before, { after, limit }),
    work: async ({ id, objectKeys }) => {
      for (const key of objectKeys) await bucket.remove(key);
      await deleteLog(db.client, id);
    },
    what: 'old logs',
    onError,
  });
}
