import { Prisma, type Sql } from '../db/database.ts';
import type { RunnerUpload } from '../protocol/runner.ts';

export type UploadRow = NonNullable<Awaited<ReturnType<typeof findUpload>>>;
export type ArtifactRow = NonNullable<Awaited<ReturnType<typeof findArtifact>>>;

/** Which node of which attempt makes an artifact. */
export type Producer = { tenantId: string; jobId: string; attempt: number; node: number };

export type NewUploadRow = {
  id: string;
  tenantId: string;
  name: string | null;
  objectKey: string;
  sizeBytes: number | null;
  sha256: string | null;
  createdAt: Date;
  expiresAt: Date;
};

export async function insertUpload(sql: Sql, upload: NewUploadRow): Promise<void> {
  await sql.upload.createMany({ data: [upload], skipDuplicates: true });
}

/** The tenant's live uploads that were announced with such bytes, newest first; whether these came, the bucket knows. */
export function listUploadsOf(
  sql: Sql,
  tenantId: string,
  bytes: { sha256: string; sizeBytes: number },
  { now, take }: { now: Date; take: number },
): Promise<StoredObject[]> {
  return sql.upload.findMany({
    where: { tenantId, ...bytes, expiresAt: { gt: now } },
    select: { id: true, objectKey: true },
    orderBy: { id: 'desc' },
    take,
  });
}

/** False where the upload has expired already. */
export async function keepUpload(sql: Sql, id: string, now: Date, expiresAt: Date): Promise<boolean> {
  const { count } = await sql.upload.updateMany({ where: { id, expiresAt: { gt: now } }, data: { expiresAt } });
  return count === 1;
}

export function findUpload(sql: Sql, tenantId: string, id: string) {
  return sql.upload.findFirst({ where: { id, tenantId } });
}

export async function insertArtifact(
  sql: Sql,
  row: Producer & Omit<RunnerUpload, 'attempt'> & { id: string; objectKey: string; createdAt: Date },
): Promise<void> {
  await sql.artifact.create({ data: row });
}

export function findArtifact(sql: Sql, id: string, { jobId, attempt, node }: Producer) {
  return sql.artifact.findFirst({ where: { id, jobId, attempt, node } });
}

/** What this node last wanted to store at this path. */
export function findLatest(
  sql: Sql,
  { jobId, attempt, node }: Producer,
  { path, kind }: Pick<RunnerUpload, 'path' | 'kind'>,
) {
  return sql.artifact.findFirst({
    where: { jobId, attempt, node, path, kind },
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
  });
}

/** False where the row is gone. */
export async function markVerified(sql: Sql, id: string, at: Date): Promise<boolean> {
  const { count } = await sql.artifact.updateMany({ where: { id, verifiedAt: null }, data: { verifiedAt: at } });
  return count === 1 || (await sql.artifact.count({ where: { id } })) === 1;
}

/**
 * Makes what an attempt stored, and stored whole, the job's artifacts: outputs and its last checkpoint. Called in the transaction that
 * accepts its report.
 */
export async function promote(tx: Sql, jobId: string, attempt: number, at: Date): Promise<void> {
  await tx.$executeRaw`
    UPDATE artifact SET promoted_at = ${at}
    WHERE job_id = ${jobId} AND attempt = ${attempt} AND verified_at IS NOT NULL AND promoted_at IS NULL
      AND (kind = 'output' OR (named_at IS NOT NULL AND superseded_at IS NULL))`;
}

/** Whose the job is, and whether more artifacts can come; undefined where there is none. */
export async function findJob(
  sql: Sql,
  jobId: string,
): Promise<{ tenantId: string; finishedAt: Date | null } | undefined> {
  const job = await sql.job.findUnique({ where: { id: jobId }, select: { tenantId: true, finishedAt: true } });
  return job ?? undefined;
}

export type ListedArtifact = { path: string; sizeBytes: bigint; sha256: string; attempt: number; createdAt: Date };

/** One row for each path: of the newest attempt that stored it, and there of the first node, the newest version. */
export function listPromoted(
  sql: Sql,
  jobId: string,
  { after, take }: { after: string; take: number },
): Promise<ListedArtifact[]> {
  return sql.$queryRaw`
    SELECT DISTINCT ON (path) path, size_bytes AS "sizeBytes", sha256, attempt, created_at AS "createdAt"
    FROM (${promotedOf(jobId)}) promoted WHERE path > ${after}
    ORDER BY path, attempt DESC, node, created_at DESC, id DESC LIMIT ${take}`;
}

export type PassedFile = { path: string; objectKey: string; sha256: string; sizeBytes: number };

/** The artifact at this path; where the path is empty or ends in a slash, all below it. */
export async function listPromotedUnder(
  sql: Sql,
  { jobId, path }: { jobId: string; path: string },
  take: number,
): Promise<PassedFile[]> {
  const isFolder = path === '' || path.endsWith('/');
  return sql.$queryRaw<PassedFile[]>`
    SELECT DISTINCT ON (path) path, object_key AS "objectKey", sha256, size_bytes::float8 AS "sizeBytes"
    FROM (${promotedOf(jobId)}) promoted WHERE path = ${path} OR (${isFolder} AND starts_with(path, ${path}))
    ORDER BY path, attempt DESC, node, created_at DESC, id DESC LIMIT ${take}`;
}

export async function findPromoted(sql: Sql, jobId: string, path: string): Promise<PassedFile | undefined> {
  const [file] = await listPromotedUnder(sql, { jobId, path }, 1);
  return file;
}

/** What has become an artifact of a job; of an array what its tasks made, below their places. */
function promotedOf(jobId: string): Prisma.Sql {
  return Prisma.sql`
    SELECT id, path, object_key, sha256, size_bytes, attempt, node, created_at FROM artifact
    WHERE job_id = ${jobId} AND promoted_at IS NOT NULL AND superseded_at IS NULL
    UNION ALL
    SELECT a.id, job.array_index || '/' || a.path, object_key, sha256, size_bytes, attempt, node, a.created_at
    FROM job JOIN artifact a ON a.job_id = job.id WHERE job.array_id = ${jobId} AND a.promoted_at IS NOT NULL
      AND a.superseded_at IS NULL`;
}

/** Gives uploads that a job still needs another `keepMs`; a job looks up its uploads again with each attempt. */
export async function keepUsedUploads(sql: Sql, now: Date, keepMs: number): Promise<void> {
  await sql.$executeRaw`
    UPDATE upload SET expires_at = ${new Date(now.getTime() + keepMs)}
    WHERE expires_at <= ${now} AND EXISTS (
      SELECT 1 FROM job
      WHERE job.tenant_id = upload.tenant_id AND job.state NOT IN ('succeeded', 'failed', 'cancelled') AND (
        job.spec->>'source' = 'weir://uploads/' || upload.id
        OR job.spec->'inputs' @> jsonb_build_array(jsonb_build_object('uri', 'weir://uploads/' || upload.id))))`;
}

export type StoredObject = { id: string; objectKey: string };

/** So many rows, in the order of their ids, after the one given. */
export type Page = { after: string; limit: number };

export function listExpiredUploads(sql: Sql, before: Date, { after, limit }: Page): Promise<StoredObject[]> {
  return sql.upload.findMany({
    where: { expiresAt: { lt: before }, id: { gt: after } },
    select: { id: true, objectKey: true },
    orderBy: { id: 'asc' },
    take: limit,
  });
}

/** What never became an artifact and can't any more: not whole when its attempt ended, or of an attempt without a report while its job has ended. */
export function listLeftovers(sql: Sql, before: Date, { after, limit }: Page): Promise<StoredObject[]> {
  return sql.$queryRaw`
    SELECT artifact.id, artifact.object_key AS "objectKey" FROM artifact
    JOIN job ON job.id = artifact.job_id
    JOIN attempt ON attempt.job_id = artifact.job_id AND attempt.number = artifact.attempt
    WHERE artifact.promoted_at IS NULL AND attempt.finished_at < ${before}
      AND (artifact.verified_at IS NULL OR job.finished_at < ${before}) AND artifact.id > ${after}
    ORDER BY artifact.id LIMIT ${limit}`;
}

/** Artifacts of jobs that ended before then, and that no job which has not ended is given. */
export function listOldArtifacts(
  sql: Sql,
  { kind, before }: { kind: 'output' | 'checkpoint'; before: Date },
  { after, limit }: Page,
): Promise<StoredObject[]> {
  return sql.$queryRaw`
    SELECT artifact.id, artifact.object_key AS "objectKey" FROM artifact JOIN job ON job.id = artifact.job_id
    WHERE artifact.kind = ${kind} AND job.finished_at < ${before} AND NOT EXISTS (
      SELECT FROM job other, jsonb_array_elements(other.spec->'inputs') AS input
      WHERE other.tenant_id = job.tenant_id AND other.state NOT IN ('succeeded', 'failed', 'cancelled')
        AND split_part(input->>'uri', '/', 4) IN (job.id, job.array_id))
    AND artifact.id > ${after} ORDER BY artifact.id LIMIT ${limit}`;
}

export async function deleteUpload(sql: Sql, id: string): Promise<void> {
  await sql.upload.deleteMany({ where: { id } });
}

export async function deleteArtifact(sql: Sql, id: string): Promise<void> {
  await sql.artifact.deleteMany({ where: { id } });
}
