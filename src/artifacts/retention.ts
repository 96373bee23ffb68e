import { eachRow } from '../core/each-row.ts';
import { dayMs, hourMs, type Clock } from '../core/time.ts';
import type { Database } from '../db/database.ts';
import type { Bucket, LifecycleRule } from './bucket.ts';
import { listSuperseded } from './checkpoint-store.ts';
import { keySuffixes } from './names.ts';
import {
  deleteArtifact,
  deleteUpload,
  keepUsedUploads,
  listExpiredUploads,
  listLeftovers,
  listOldArtifacts,
  type StoredObject,
} from './store.ts';

export type RetentionDeps = {
  db: Database;
  bucket: Bucket;
  now: Clock;
  uploadMs: number;
  /** Told of what could not be removed, which keeps nothing else from being removed. */
  onError: (error: unknown) => void;
};

/** Beyond the last moment at which anyone may still use what is removed, so that nothing is taken from under a request. */
const marginMs = hourMs;

export type Removed = { uploads: number; artifacts: number; checkpoints: number };

/**
 * Removes uploads that no job needs any more, what was sent but never became an artifact, and what later checkpoints go without. Answers
 * how many.
 */
export async function removeLeftovers(deps: RetentionDeps): Promise<Removed> {
  const { db, bucket, now, uploadMs, onError } = deps;
  const at = now();
  const expired = new Date(at.getTime() - marginMs);
  // An attempt that is over gets no new upload URL; its last one has expired by then.
  const unreachable = new Date(expired.getTime() - uploadMs);

  await keepUsedUploads(db.client, at, uploadMs);
  await bucket.discardUnfinished(unreachable).catch(onError);
  return {
    uploads: await eachRow({
      list: (after, limit) => listExpiredUploads(db.client, expired, { after, limit }),
      work: removing(bucket, (id) => deleteUpload(db.client, id)),
      what: 'expired uploads',
      onError,
    }),
    artifacts: await eachRow({
      list: (after, limit) => listLeftovers(db.client, unreachable, { after, limit }),
      work: removing(bucket, (id) => deleteArtifact(db.client, id)),
      what: 'files that never became artifacts',
      onError,
    }),
    checkpoints: await eachRow({
      list: (after, limit) => listSuperseded(db.client, expired, { after, limit }),
      work: removing(bucket, (id) => deleteArtifact(db.client, id)),
      what: 'superseded files of checkpoints',
      onError,
    }),
  };
}

/** How many days after the end of their job things are removed; left out: never. */
export type Retention = { artifactsDays?: number; checkpointsDays?: number; logsDays?: number };

/** Removes artifacts that were kept long enough. Answers how many. */
export async function removeOldArtifacts(
  { db, bucket, now, onError }: Omit<RetentionDeps, 'uploadMs'>,
  { artifactsDays, checkpointsDays }: Retention,
): Promise<number> {
  const ofKind = async (kind: 'output' | 'checkpoint', days: number | undefined): Promise<number> => {
    if (days === undefined) return 0;
    const before = new Date(now().getTime() - days * dayMs);
    return eachRow({
      list: (after, limit) => listOldArtifacts(db.client, { kind, before }, { after, limit }),
      work: removing(bucket, (id) => deleteArtifact(db.client, id)),
      what: `old ${kind}s`,
      onError,
    });
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

/** The object before its row: a crash in between leaves no object that no row knows. */
function removing(bucket: Bucket, forget: (id: string) => Promise<void>): (object: StoredObject) => Promise<void> {
  return async ({ id, objectKey }) => {
    await bucket.remove(objectKey);
    await forget(id);
  };
}
