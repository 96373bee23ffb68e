import { hourMs, type Clock } from '../core/time.ts';
import type { Database } from '../db/database.ts';
import type { Bucket } from './bucket.ts';
import {
  deleteArtifacts,
  deleteUploads,
  keepUsedUploads,
  listExpiredUploads,
  listLeftovers,
  type StoredObject,
} from './store.ts';

export type RetentionDeps = { db: Database; bucket: Bucket; now: Clock; uploadMs: number };

/** Beyond the last moment at which anyone may still use what is removed, so that nothing is taken from under a request. */
const marginMs = hourMs;
const batchSize = 200;

/** Removes uploads that no job needs any more, and what was sent but never became an artifact. */
export async function removeLeftovers({
  db,
  bucket,
  now,
  uploadMs,
}: RetentionDeps): Promise<{ uploads: number; artifacts: number }> {
  const at = now();
  const expired = new Date(at.getTime() - marginMs);
  // An attempt that is over gets no new upload URL; its last one has expired by then.
  const unreachable = new Date(expired.getTime() - uploadMs);

  await keepUsedUploads(db.client, at, uploadMs);
  await bucket.discardUnfinished(unreachable);
  return {
    uploads: await removeAll(
      bucket,
      () => listExpiredUploads(db.client, expired, batchSize),
      (ids) => deleteUploads(db.client, ids),
    ),
    artifacts: await removeAll(
      bucket,
      () => listLeftovers(db.client, unreachable, batchSize),
      (ids) => deleteArtifacts(db.client, ids),
    ),
  };
}

/** The objects before their rows: a crash in between leaves no object that no row knows. */
async function removeAll(
  bucket: Bucket,
  list: () => Promise<StoredObject[]>,
  forget: (ids: string[]) => Promise<void>,
): Promise<number> {
  for (let removed = 0; ;) {
    const batch = await list();
    if (batch.length === 0) return removed;
    for (const { objectKey } of batch) await bucket.remove(objectKey);
    await forget(batch.map(({ id }) => id));
    removed += batch.length;
  }
}
