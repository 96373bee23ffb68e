import type { Database } from '../db/database.ts';
import type { JobEvent, JobState } from '../protocol/job.ts';

export type NewChunk = {
  jobId: string;
  attempt: number;
  node: number;
  firstLine: number;
  lines: number;
  at: Date;
  data: Buffer;
};

/**
 * Stores a chunk in one round trip: takes its lines' numbers from the job's head, whose row lock makes chunks visible in the
 * order of their numbers, and tells who follows. A chunk whose first line is there already is not stored again, and leaves no
 * gap; of two that come at once, the second fails as a whole on its unique key.
 */
export async function insertChunk(db: Database, chunk: NewChunk): Promise<void> {
  const { jobId, lines, attempt, node, firstLine, at, data } = chunk;
  try {
    await db.pool.query({
      name: 'insert-chunk',
      text: insertChunkSql,
      values: [jobId, lines, attempt, node, firstLine, at, data],
    });
  } catch (error) {
    if (!isRepeated(error)) throw error;
  }
}

const insertChunkSql = `
  WITH before AS (
    SELECT first_line + lines AS next_line FROM log_chunk
    WHERE job_id = $1 AND attempt = $3 AND node = $4 AND first_line <= $5 ORDER BY first_line DESC LIMIT 1
  ), head AS (
    INSERT INTO log_head (job_id, next_seq) SELECT $1, $2::int
    WHERE NOT EXISTS (SELECT FROM before WHERE next_line > $5)
    ON CONFLICT (job_id) DO UPDATE SET next_seq = log_head.next_seq + $2::int
    RETURNING next_seq
  ), chunk AS (
    INSERT INTO log_chunk (job_id, first_seq, lines, attempt, node, first_line, at, data, data_bytes)
    SELECT $1, next_seq - $2::int, $2::int, $3, $4, $5, $6, $7::bytea, octet_length($7::bytea) FROM head
    RETURNING job_id
  )
  SELECT pg_notify('weir_log', job_id) FROM chunk`;

function isRepeated(error: unknown): boolean {
  const { code, constraint } = error as { code?: string; constraint?: string };
  return code === '23505' && constraint === 'log_chunk_job_id_attempt_node_first_line_key';
}

export type Head = {
  tenantId: string;
  state: JobState;
  isEnded: boolean;
  /** The number that the next line will have. */
  nextSeq: number;
};

/** Where the log of a job stands, and whether more can come; undefined where there is no such job. */
export async function readHead(db: Database, jobId: string): Promise<Head | undefined> {
  const { rows } = await db.pool.query<Head>({
    name: 'read-head',
    text: `
      SELECT tenant_id AS "tenantId", state, state IN ('succeeded', 'failed', 'cancelled') AS "isEnded",
        coalesce(next_seq, 0)::float8 AS "nextSeq"
      FROM job LEFT JOIN log_head ON job_id = id WHERE id = $1`,
    values: [jobId],
  });
  return rows[0];
}

/** A chunk whose bytes are in its row, or in an object of the bucket. */
export type StoredChunk = Omit<Chunk, 'data'> &
  ({ data: Buffer; object: null } | { data: null; object: { key: string; offset: number; length: number } });

export type Chunk = { firstSeq: number; lines: number; attempt: number; node: number; at: Date; data: Buffer };

const maxChunksRead = 64;
const maxBytesRead = 4 * 1024 * 1024;

/** The chunks from the one that holds `fromSeq`: one at least where there is any, and no more than a few megabytes. */
export async function readChunks(db: Database, jobId: string, fromSeq: number): Promise<StoredChunk[]> {
  const { rows } = await db.pool.query<StoredChunk>({
    name: 'read-chunks',
    text: readChunksSql,
    values: [jobId, fromSeq, maxChunksRead, maxBytesRead],
  });
  return rows;
}

const readChunksSql = `
  SELECT first_seq::float8 AS "firstSeq", lines, attempt, node, at, data, CASE WHEN object_key IS NOT NULL THEN
    json_build_object('key', object_key, 'offset', object_offset, 'length', data_bytes) END AS object
  FROM (
    SELECT *, sum(data_bytes) OVER (ORDER BY first_seq) - data_bytes AS bytes_before
    FROM (
      SELECT * FROM log_chunk
      WHERE job_id = $1 AND first_seq + lines > $2::bigint AND first_seq >= coalesce(
        (SELECT max(first_seq) FROM log_chunk WHERE job_id = $1 AND first_seq <= $2::bigint), 0)
      ORDER BY first_seq LIMIT $3
    ) next_chunks
  ) counted
  WHERE bytes_before < $4 ORDER BY first_seq`;

/** Oldest first, after the event of that number. */
export async function readEvents(db: Database, jobId: string, after: number, limit: number): Promise<JobEvent[]> {
  const rows = await db.client.jobEvent.findMany({
    where: { jobId, id: { gt: after } },
    orderBy: { id: 'asc' },
    take: limit,
  });
  return rows.map(({ id, jobId: _jobId, at, ...event }) => ({ seq: Number(id), at: at.toISOString(), ...event }));
}
