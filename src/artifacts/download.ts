import { notFound } from '../core/errors.ts';
import type { Clock } from '../core/time.ts';
import type { Database } from '../db/database.ts';
import type { JobSpec } from '../protocol/job-spec.ts';
import type { Assignment } from '../protocol/runner.ts';
import type { Bucket } from './bucket.ts';
import { latestCheckpoint } from './checkpoint-store.ts';
import { resolveArtifactInput } from './job-input.ts';
import { fileNameOf, isRelativePath, isUploadUri } from './names.ts';
import { findPromoted, type PassedFile } from './store.ts';
import { requireUpload } from './upload.ts';

export type DownloadDeps = { db: Database; bucket: Bucket; now: Clock; downloadMs: number };

type Download = Assignment['inputs'][number];
type Input = NonNullable<JobSpec['inputs']>[number];

/** A signed URL of the job's artifact at that path. @throws WeirError `not-found` */
export async function artifactUrl(
  { db, bucket, now, downloadMs }: DownloadDeps,
  jobId: string,
  path: string,
): Promise<string> {
  const artifact = isRelativePath(path) ? await findPromoted(db.client, jobId, path) : undefined;
  if (artifact === undefined) throw notFound('artifact', path);
  return bucket.createDownloadUrl(artifact.objectKey, {
    fileName: fileNameOf(path),
    expiresAt: new Date(now().getTime() + downloadMs),
  });
}

export type JobDownloads = Pick<Assignment, 'source' | 'inputs' | 'checkpoint'>;

/** What a runner fetches before it starts a job: signed URLs of its uploads, of other jobs' artifacts and of the last checkpoint. */
export function createJobDownloads({ db, bucket, now, downloadMs }: DownloadDeps) {
  const sign = (objectKey: string, path: string): Promise<string> =>
    bucket.createDownloadUrl(objectKey, {
      fileName: fileNameOf(path),
      expiresAt: new Date(now().getTime() + downloadMs),
    });

  const ofUpload = async (tenantId: string, uri: string, path: string): Promise<Download> => {
    const { objectKey, sha256, sizeBytes } = await requireUpload(db.client, tenantId, uri);
    return { url: await sign(objectKey, path), path, sha256, sizeBytes: sizeBytes === null ? null : Number(sizeBytes) };
  };

  const ofFile = async ({ objectKey, path, sha256, sizeBytes }: PassedFile): Promise<Download> => ({
    url: await sign(objectKey, path),
    path,
    sha256,
    sizeBytes,
  });

  const ofInput = async (tenantId: string, input: Input): Promise<Download[]> => {
    const { uri, path } = input;
    if (!uri.startsWith('weir://')) return [{ url: uri, path, sha256: null, sizeBytes: null }];
    if (isUploadUri(uri)) return [await ofUpload(tenantId, uri, path)];
    return Promise.all((await resolveArtifactInput(db.client, tenantId, input)).map(ofFile));
  };

  return async ({ id, tenantId, spec }: { id: string; tenantId: string; spec: JobSpec }): Promise<JobDownloads> => {
    const files = spec.checkpoints === undefined ? [] : await latestCheckpoint(db.client, id);
    return {
      source: spec.source === undefined ? null : await ofUpload(tenantId, spec.source, 'source'),
      inputs: (await Promise.all((spec.inputs ?? []).map((input) => ofInput(tenantId, input)))).flat(),
      checkpoint: await Promise.all(files.map(ofFile)),
    };
  };
}
