import { notFound, WeirError, type Fault } from '../core/errors.ts';
import type { Sql } from '../db/database.ts';
import type { JobSpec } from '../protocol/job-spec.ts';
import { artifactUriOf, isUploadUri, type ArtifactUri } from './names.ts';
import { findJob, listPromotedUnder, type PassedFile } from './store.ts';

/** More files than this are better packed by the job that makes them. */
const maxFiles = 10_000;

/**
 * Refuses inputs that name artifacts which this tenant's job can't be given: of a job that does not exist or, where that has
 * ended, has none such; of one that has not ended, where the spec does not wait for it.
 * @throws WeirError `invalid` with every fault.
 */
export async function requireArtifactInputs(sql: Sql, tenantId: string, spec: JobSpec): Promise<void> {
  const faults: Fault[] = [];
  for (const [index, { uri }] of (spec.inputs ?? []).entries()) {
    if (!uri.startsWith('weir://') || isUploadUri(uri)) continue;
    const detail = await faultOf(sql, tenantId, uri, spec);
    if (detail !== undefined) faults.push({ pointer: `/inputs/${index}/uri`, detail });
  }
  if (faults.length > 0) throw new WeirError('invalid', 'The spec names artifacts that can’t be used.', { faults });
}

async function faultOf(sql: Sql, tenantId: string, uri: string, { dependsOn = [] }: JobSpec) {
  const named = artifactUriOf(uri);
  if (named === undefined)
    return `${uri} names neither an upload nor an artifact; write weir://uploads/<id> or weir://jobs/<id>/artifacts/<path>.`;
  const job = await findJob(sql, named.jobId);
  if (job?.tenantId !== tenantId) return notFound('job', named.jobId).message;
  if (job.finishedAt === null) {
    const isAwaited = dependsOn.some(({ job: id }) => id === named.jobId);
    return isAwaited
      ? undefined
      : `${named.jobId} has not ended; name it in dependsOn too, so that this job waits for it.`;
  }
  const files = await listPromotedUnder(sql, named, 1);
  return files.length > 0 ? undefined : absent(named);
}

/**
 * The files that an input of a job names, each with its path below that of the input.
 * @throws WeirError `not-found` where there are none any more, `too-large` where there are too many.
 */
export async function resolveArtifactInput(
  sql: Sql,
  tenantId: string,
  { uri, path }: { uri: string; path: string },
): Promise<PassedFile[]> {
  const named = artifactUriOf(uri);
  const job = named === undefined ? undefined : await findJob(sql, named.jobId);
  if (named === undefined || job?.tenantId !== tenantId) throw notFound('artifact', uri);
  const files = await listPromotedUnder(sql, named, maxFiles + 1);
  if (files.length === 0) throw new WeirError('not-found', absent(named));
  if (files.length > maxFiles)
    throw new WeirError('too-large', `${uri} has more than ${maxFiles} files; have the job that makes them pack them.`);
  const folder = path.replace(/\/$/, '');
  return isFolder(named)
    ? files.map((file) => ({ ...file, path: `${folder}/${file.path.slice(named.path.length)}` }))
    : files.map((file) => ({ ...file, path }));
}

function isFolder({ path }: ArtifactUri): boolean {
  return path === '' || path.endsWith('/');
}

function absent({ jobId, path }: ArtifactUri): string {
  return `${jobId} has no artifact ${path}; GET /v1/jobs/${jobId}/artifacts lists those it has.`;
}
