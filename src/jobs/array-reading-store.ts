import type { Sql } from '../db/database.ts';
import type { Job, TaskCounts } from '../protocol/job.ts';
import { endOfUseIn } from '../shares/use-store.ts';

/** What an array's tasks are doing, and what those that run have in reserve and have cost beyond what is charged. */
export type ArrayReading = {
  counts: TaskCounts;
  reservedMicroUsd: number;
  unchargedMicroUsd: number;
  /** What its first waiting task waits for. */
  waiting: Job['waiting'] | null;
};

type Row = Omit<TaskCounts, 'total'> & Omit<ArrayReading, 'counts'> & { id: string; tasks: number; unmade: number };

/** Of these jobs those that are arrays. What has ended is counted already: only what is alive is looked at. */
export async function readArrays(sql: Sql, jobIds: string[], now: Date): Promise<Map<string, ArrayReading>> {
  if (jobIds.length === 0) return new Map();
  const rows = await sql.$queryRaw<Row[]>`
    SELECT a.job_id AS id, a.tasks, a.unmade, a.succeeded, a.failed, a.cancelled, alive.*, cost.*,
      (SELECT waiting FROM job WHERE array_id = a.job_id AND state = 'queued' ORDER BY array_index LIMIT 1) AS waiting
    FROM job_array a
    CROSS JOIN LATERAL (
      SELECT (count(*) FILTER (WHERE state = 'queued'))::int AS queued,
        (count(*) FILTER (WHERE state = 'provisioning'))::int AS provisioning,
        (count(*) FILTER (WHERE state = 'running'))::int AS running,
        (count(*) FILTER (WHERE state = 'stopping'))::int AS stopping,
        coalesce(sum(reserved_micro_usd), 0)::float8 AS "reservedMicroUsd"
      FROM job WHERE array_id = a.job_id AND state IN ('queued', 'provisioning', 'running', 'stopping')
    ) alive
    CROSS JOIN LATERAL (
      SELECT coalesce(sum(machines.micro_usd - attempt.cost_micro_usd), 0)::float8 AS "unchargedMicroUsd"
      FROM job JOIN attempt ON attempt.job_id = job.id AND attempt.finished_at IS NULL
      CROSS JOIN LATERAL (
        SELECT coalesce(sum(extract(epoch FROM greatest(${endOfUseIn(now)} - created_at, interval '0'))), 0)
          * (attempt.offer ->> 'hourlyUsd')::numeric / (attempt.offer ->> 'nodes')::numeric / 3600 * 1000000 AS micro_usd
        FROM instance WHERE attempt_id = attempt.id AND created_at IS NOT NULL
      ) machines
      WHERE job.array_id = a.job_id AND job.state IN ('provisioning', 'running', 'stopping')
    ) cost
    WHERE a.job_id = ANY(${jobIds})`;
  return new Map(rows.map((row) => [row.id, readingOf(row)]));
}

function readingOf({
  id: _id,
  tasks,
  unmade,
  reservedMicroUsd,
  unchargedMicroUsd,
  waiting,
  ...counts
}: Row): ArrayReading {
  return {
    counts: { total: tasks, ...counts, queued: counts.queued + unmade },
    reservedMicroUsd,
    unchargedMicroUsd,
    waiting,
  };
}
