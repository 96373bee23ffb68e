import { dayMs, hourMs, type Clock } from '../core/time.ts';
import type { Database } from '../db/database.ts';
import type { Bucket, LifecycleRule } from './bucket.ts';
import { keySuffixes } from './names.ts';
import {
  deleteArtifacts,
  deleteUploads,
  keepUsedUploads,
  listExpiredUploads,
  listLeftovers,
  listOldArtifacts,
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

/** How many days after the end of their job things are removed; left out: never. */
export type Retention = { artifactsDays?: number; checkpointsDays?: number; logsDays?: number };

/** Removes artifacts that were kept long enough. Answers how many. */
export async function removeOldArtifacts(
  { db, bucket, now }: Pick<RetentionDeps, 'db' | 'bucket' | 'now'>,
  { artifactsDays, checkpointsDays }: Retention,
): Promise<number> {
  const ofKind = async (kind: 'output' | 'checkpoint', days: number | undefined): Promise<number> => {
    if (days === undefined) return 0;
    const before = new Date(now().getTime() - days * dayMs);
    return removeAll(
      bucket,
      () => listOldArtifacts(db.client, { kind, before }, batchSize),
      (ids) => deleteArtifacts(db.client, ids),
    );
  };
  return (await ofKind('output', artifactsDays)) + (await ofKind('checkpoint', checkpointsDays));
}

/** A bucket's own rules wait so much longer: they are for what weir itself could not remove any more. */
const spareDays = 7;

/**
 * What the bucket itself may remove. Not checkpoints: their age counts from the upload, and a job that runs for long, or
 * waits long between attempts, still needs its last one.
 */
export function lifecycleRules({ artifactsDays, logsDays }: Retention): LifecycleRule[] {
  return [
    ...(artifactsDays === undefined ? [] : [{ suffix: keySuffixes.output, days: artifactsDays + spareDays }]),
    ...(logsDays === undefined ? [] : [{ suffix: keySuffixes.log, days: logsDays + spareDays }]),
  ];
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
