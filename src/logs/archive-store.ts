import type { Database, Sql } from '../db/database.ts';

/** So many jobs, in the order of their ids, after the one given. */
type Page = { after: string; limit: number };

export type LoggedJob = { id: string; tenantId: string };

/** Jobs that ended before then, and whose log is still in rows. */
export function listArchivable(sql: Sql, before: Date, { after, limit }: Page): Promise<LoggedJob[]> {
  return sql.$queryRaw`
    SELECT id, tenant_id AS "tenantId" FROM job
    WHERE finished_at < ${before} AND id IN (SELECT job_id FROM log_chunk WHERE object_key IS NULL) AND id > ${after}
    ORDER BY id LIMIT ${limit}`;
}

export type RowChunk = { firstSeq: number; lines: number; data: Buffer };

/** The oldest chunks of a job that are still in rows: one at least where there is any, and of about `maxBytes` together. */
export async function readRowChunks(db: Database, jobId: string, maxBytes: number): Promise<RowChunk[]> {
  const { rows } = await db.pool.query<RowChunk>({
    text: `
      SELECT first_seq::float8 AS "firstSeq", lines, data FROM (
        SELECT first_seq, lines, data, sum(data_bytes) OVER (ORDER BY first_seq) - data_bytes AS bytes_before
        FROM log_chunk WHERE job_id = $1 AND object_key IS NULL
      ) counted WHERE bytes_before < $2 ORDER BY first_seq`,
    values: [jobId, maxBytes],
  });
  return rows;
}

export type Archived = { jobId: string; objectKey: string; firstSeqs: number[]; offsets: number[] };

export async function markArchived(db: Database, { jobId, objectKey, firstSeqs, offsets }: Archived): Promise<void> {
  await db.pool.query({
    text: `
      UPDATE log_chunk SET data = NULL, object_key = $2, object_offset = moved.offset
      FROM unnest($3::bigint[], $4::bigint[]) AS moved (first_seq, "offset")
      WHERE job_id = $1 AND log_chunk.first_seq = moved.first_seq AND object_key IS NULL`,
    values: [jobId, objectKey, firstSeqs, offsets],
  });
}

export type OldLog = { id: string; objectKeys: string[] };

/** The logs of jobs that ended before then, with the objects they lie in. */
export function listOldLogs(sql: Sql, before: Date, { after, limit }: Page): Promise<OldLog[]> {
  return sql.$queryRaw`
    SELECT id,
      ARRAY(SELECT DISTINCT object_key FROM log_chunk WHERE job_id = job.id AND object_key IS NOT NULL) AS "objectKeys"
    FROM job
    WHERE finished_at < ${before} AND EXISTS (SELECT FROM log_chunk WHERE job_id = job.id) AND id > ${after}
    ORDER BY id LIMIT ${limit}`;
}

export async function deleteLog(sql: Sql, jobId: string): Promise<void> {
  await sql.logChunk.deleteMany({ where: { jobId } });
}
