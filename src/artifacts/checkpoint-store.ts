import type { Sql } from '../db/database.ts';
import type { Page, Producer, StoredObject } from './store.ts';

/**
 * Says that these files, each stored whole, are all of a node's checkpoint: what it stored before and is not among them is superseded.
 * Answers how many of them are known as such; nothing is changed where a file is not, or where the attempt is over.
 */
export async function nameCheckpoint(sql: Sql, producer: Producer, artifactIds: string[], at: Date): Promise<number> {
  const { jobId, attempt, node } = producer;
  const [row] = await sql.$queryRaw<{ known: number }[]>`
    WITH known AS (
      SELECT id FROM artifact
      WHERE id = ANY(${artifactIds}) AND job_id = ${jobId} AND attempt = ${attempt} AND node = ${node}
        AND kind = 'checkpoint' AND verified_at IS NOT NULL
    ), changed AS (
      UPDATE artifact SET
        named_at = CASE WHEN known.id IS NULL THEN artifact.named_at ELSE coalesce(artifact.named_at, ${at}) END,
        superseded_at = CASE WHEN known.id IS NULL THEN ${at}::timestamptz END
      FROM artifact AS former LEFT JOIN known ON known.id = former.id
      WHERE artifact.id = former.id AND former.job_id = ${jobId} AND former.node = ${node} AND former.attempt <= ${attempt}
        AND former.kind = 'checkpoint' AND former.verified_at IS NOT NULL
        AND CASE WHEN known.id IS NULL THEN former.superseded_at IS NULL
          ELSE former.named_at IS NULL OR former.superseded_at IS NOT NULL END
        AND (SELECT count(*) FROM known) = ${artifactIds.length}
        AND EXISTS (SELECT FROM job WHERE id = ${jobId} AND attempt_number = ${attempt})
    )
    SELECT count(*)::int AS known FROM known`;
  return row?.known ?? 0;
}

export type CheckpointFile = {
  path: string;
  objectKey: string;
  sha256: string;
  sizeBytes: number;
  attempt: number;
  createdAt: Date;
};

/** The files of the last whole checkpoint of each node of the job, whichever attempt stored it; a lost attempt's count too. */
export async function latestCheckpoint(sql: Sql, jobId: string): Promise<CheckpointFile[]> {
  const rows = await sql.$queryRaw<(Omit<CheckpointFile, 'sizeBytes'> & { sizeBytes: bigint })[]>`
    SELECT DISTINCT ON (path) path, object_key AS "objectKey", sha256, size_bytes AS "sizeBytes", attempt,
      created_at AS "createdAt"
    FROM artifact WHERE job_id = ${jobId} AND kind = 'checkpoint' AND named_at IS NOT NULL AND superseded_at IS NULL
    ORDER BY path, attempt DESC, node, created_at DESC, id DESC`;
  return rows.map((row) => ({ ...row, sizeBytes: Number(row.sizeBytes) }));
}

/** When the runner began to store the last file of a checkpoint that is whole, in any attempt. */
export async function lastCheckpointAt(sql: Sql, jobId: string): Promise<Date | null> {
  const [row] = await sql.$queryRaw<{ at: Date | null }[]>`
    SELECT max(created_at) AS at FROM artifact WHERE job_id = ${jobId} AND kind = 'checkpoint' AND named_at IS NOT NULL`;
  return row?.at ?? null;
}

/** Files that a later checkpoint has gone without since before then. */
export function listSuperseded(sql: Sql, before: Date, { after, limit }: Page): Promise<StoredObject[]> {
  return sql.$queryRaw`
    SELECT id, object_key AS "objectKey" FROM artifact
    WHERE superseded_at < ${before} AND id > ${after} ORDER BY id LIMIT ${limit}`;
}
