import type { Sql } from '../db/database.ts';
import type { Window } from './window.ts';

/**
 * From submission to the first start, of jobs that started in the window; of an array each task, since the array was submitted.
 * `tenantId` is null for all together.
 */
export type WaitRow = { tenantId: string | null; jobs: number; p50Seconds: number; p90Seconds: number };

export async function readWaits(sql: Sql, { from, to }: Window): Promise<WaitRow[]> {
  return sql.$queryRaw`
    SELECT tenant_id AS "tenantId", count(*)::float8 AS jobs,
      percentile_cont(0.5) WITHIN GROUP (ORDER BY waited)::float8 AS "p50Seconds",
      percentile_cont(0.9) WITHIN GROUP (ORDER BY waited)::float8 AS "p90Seconds"
    FROM (
      SELECT tenant_id, greatest(0, extract(epoch FROM started_at - queued_at)) AS waited FROM job
      WHERE started_at >= ${from} AND started_at < ${to}
        AND NOT EXISTS (SELECT FROM job_array WHERE job_array.job_id = job.id)
    ) started
    GROUP BY GROUPING SETS ((tenant_id), ()) HAVING count(*) > 0`;
}

export type Notice = { tenantId: string; at: Date; note: string };

/** The lines on statements that move nothing, oldest first. */
export async function readNotices(sql: Sql, { from, to }: Window): Promise<Notice[]> {
  return sql.$queryRaw`
    SELECT n.tenant_id AS "tenantId", n.at, n.note
    FROM tenant t JOIN ledger_entry n ON n.tenant_id = t.id AND n.account = 'spent' AND n.at >= ${from} AND n.at < ${to}
    WHERE n.kind = 'adjust' AND n.amount_micro_usd = 0 ORDER BY n.at, n.seq`;
}
