import type { Bucket } from '../artifacts/bucket.ts';
import type { Database } from '../db/database.ts';
import { deleteLogs, listOldLogs } from './archive-store.ts';

const batchSize = 200;

/** Removes the logs of jobs that ended before then. Answers how many. The objects go before the rows that know them. */
export async function removeOldLogs(
  { db, bucket }: { db: Database; bucket: Pick<Bucket, 'remove'> },
  before: Date,
): Promise<number> {
  for (let removed = 0; ;) {
    const logs = await listOldLogs(db.client, before, batchSize);
    if (logs.length === 0) return removed;
    for (const key of logs.flatMap(({ objectKeys }) => objectKeys)) await bucket.remove(key);
    await deleteLogs(
      db.client,
      logs.map(({ jobId }) => jobId),
    );
    removed += logs.length;
  }
}
