import type { Database } from '../db/database.ts';
import type { JobState } from '../protocol/job.ts';

export type Change = { seq: number; id: string; tenant: string; state: JobState };

/** What happened to jobs after the event of that number, in order: of one tenant's, or of all. */
export async function readChanges(
  { pool }: Database,
  { after, tenantId, limit }: { after: number; tenantId: string | null; limit: number },
): Promise<Change[]> {
  const { rows } = await pool.query<Change>({
    name: 'read-changes',
    text: `
      SELECT event.id::float8 AS seq, job.id, job.tenant_id AS tenant, job.state
      FROM job_event AS event JOIN job ON job.id = event.job_id
      WHERE event.id > $1::bigint AND ($2::text IS NULL OR job.tenant_id = $2) ORDER BY event.id LIMIT $3`,
    values: [after, tenantId, limit],
  });
  return rows;
}

/** The number of the newest event, and when dispatch had its last round. */
export async function readNow({ pool }: Database): Promise<{ seq: number; dispatchedAt: string | null }> {
  const { rows } = await pool.query<{ seq: number; dispatchedAt: string | null }>({
    name: 'read-now',
    text: `
      SELECT coalesce((SELECT max(id) FROM job_event), 0)::float8 AS seq,
        (SELECT value ->> 'at' FROM setting WHERE name = 'last dispatch') AS "dispatchedAt"`,
  });
  return rows[0] ?? { seq: 0, dispatchedAt: null };
}
