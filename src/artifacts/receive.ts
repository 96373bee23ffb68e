import { invalid, notFound, WeirError } from '../core/errors.ts';
import { newId } from '../core/ids.ts';
import type { Clock } from '../core/time.ts';
import type { Database } from '../db/database.ts';
import { maxPathBytes } from '../protocol/limits.ts';
import type { RunnerUpload, UploadTicket } from '../protocol/runner.ts';
import type { Bucket, ObjectInfo } from './bucket.ts';
import { nameCheckpoint } from './checkpoint-store.ts';
import { artifactKey, isRelativePath } from './names.ts';
import type { Residence } from './residence.ts';
import { findArtifact, findLatest, insertArtifact, markVerified, type ArtifactRow, type Producer } from './store.ts';

export type ReceiveDeps = { db: Database; bucket: Bucket; residence: Residence; now: Clock; uploadMs: number };

/**
 * Says where a runner sends a file. Asking again for the same bytes is the same artifact: its URL is null where they are
 * there already, else a new one.
 */
export async function openTicket(deps: ReceiveDeps, producer: Producer, wanted: RunnerUpload): Promise<UploadTicket> {
  const { path, kind, sizeBytes, sha256, md5 } = wanted;
  if (!isRelativePath(path))
    throw invalid('/path', `"${path}" is not a path inside the working directory, of up to ${maxPathBytes} bytes.`);
  const latest = await findLatest(deps.db.client, producer, wanted);
  if (latest !== null && isSame(latest, wanted)) return reopen(deps, latest);

  const id = newId('artifact');
  const { tenantId, jobId, attempt } = producer;
  const owner = { tenantId, region: await deps.residence(tenantId) };
  const objectKey = artifactKey(owner, { jobId, attempt, artifactId: id, kind });
  const createdAt = deps.now();
  await insertArtifact(deps.db.client, { ...producer, id, path, kind, sizeBytes, sha256, md5, objectKey, createdAt });
  return { id, url: await signedUrl(deps, { objectKey, sizeBytes }) };
}

/**
 * Compares what arrived with what was announced. Only from then on can it be an artifact. Repeatable.
 * @throws WeirError `checksum-mismatch`, the object removed; `conflict` where the bytes are not all there; `not-found`.
 */
export async function completeTicket(deps: ReceiveDeps, producer: Producer, artifactId: string): Promise<void> {
  const artifact = await findArtifact(deps.db.client, artifactId, producer);
  if (artifact === null) throw notFound('artifact', artifactId);
  if (artifact.verifiedAt !== null) return;
  const info = await deps.bucket.stat(artifact.objectKey);
  if (info === undefined)
    throw new WeirError(
      'conflict',
      `The bytes of ${artifact.path} are not all there yet. Send the rest, then complete again.`,
    );
  await verify(deps, artifact, info);
}

/** Takes a node's checkpoint as a whole. Repeatable. @throws WeirError `conflict` where a file of it was not completed. */
export async function takeCheckpoint({ db, now }: ReceiveDeps, producer: Producer, artifacts: string[]): Promise<void> {
  const ids = [...new Set(artifacts)];
  const known = await nameCheckpoint(db.client, producer, ids, now());
  if (known < ids.length)
    throw new WeirError(
      'conflict',
      `${ids.length - known} of the checkpoint’s files are not complete. Complete each first.`,
    );
}

async function reopen(deps: ReceiveDeps, artifact: ArtifactRow): Promise<UploadTicket> {
  if (artifact.verifiedAt !== null) return { id: artifact.id, url: null };
  const info = await deps.bucket.stat(artifact.objectKey);
  if (info !== undefined && isIntact(artifact, info)) {
    await verify(deps, artifact, info);
    return { id: artifact.id, url: null };
  }
  if (info !== undefined) await deps.bucket.remove(artifact.objectKey);
  return {
    id: artifact.id,
    url: await signedUrl(deps, { objectKey: artifact.objectKey, sizeBytes: Number(artifact.sizeBytes) }),
  };
}

async function verify({ db, bucket, now }: ReceiveDeps, artifact: ArtifactRow, info: ObjectInfo): Promise<void> {
  if (!isIntact(artifact, info)) {
    await bucket.remove(artifact.objectKey);
    throw new WeirError(
      'checksum-mismatch',
      `${artifact.path} arrived with ${described(info)} instead of ${described({ ...artifact, sizeBytes: Number(artifact.sizeBytes) })}. It was dropped; ask for a new upload and send it again.`,
    );
  }
  if (!(await markVerified(db.client, artifact.id, now()))) throw notFound('artifact', artifact.id);
}

/** What is superseded may be on its way out. */
function isSame(artifact: ArtifactRow, wanted: RunnerUpload): boolean {
  return (
    !(artifact.supersededAt instanceof Date) &&
    artifact.sha256 === wanted.sha256 &&
    artifact.md5 === wanted.md5 &&
    Number(artifact.sizeBytes) === wanted.sizeBytes
  );
}

function isIntact(artifact: ArtifactRow, info: ObjectInfo): boolean {
  return info.md5 === artifact.md5 && info.sizeBytes === Number(artifact.sizeBytes);
}

function described({ sizeBytes, md5 }: ObjectInfo): string {
  return `${sizeBytes} bytes of MD5 ${md5}`;
}

function signedUrl(
  { bucket, now, uploadMs }: ReceiveDeps,
  { objectKey, sizeBytes }: { objectKey: string; sizeBytes: number },
): Promise<string> {
  return bucket.createUploadUrl(objectKey, { sizeBytes, expiresAt: new Date(now().getTime() + uploadMs) });
}
