import type { Sql } from '../db/database.ts';
import { searchJobs, type JobFilter } from './search-store.ts';
import { joinJobs, type JobRow, type ShownJob } from './shown-store.ts';

/** A job as a list shows it: of its spec and its options only what that needs, and no quote. */
export type ListedJob = ShownJob & { first: FirstOption | null };

/** Of the option that it would run on first. */
export type FirstOption = {
  accelerators: { kind: string; count: number };
  nodes: number;
  costUsd: { p10: number; p50: number; p90: number };
  durationSeconds: { p10: number; p50: number; p90: number };
};

type LightRow = Omit<JobRow, 'attempts'> & { first: FirstOption | null };

export async function listJobSummaries(sql: Sql, filter: JobFilter, now: Date): Promise<ListedJob[]> {
  return readListedJobs(sql, await searchJobs(sql, filter), now);
}

/** In this order. A job with its options and its quote can be a hundred times as large as what is read here. */
export async function readListedJobs(sql: Sql, ids: readonly string[], now: Date): Promise<ListedJob[]> {
  if (ids.length === 0) return [];
  const rows = await sql.$queryRaw<LightRow[]>`
    SELECT id, tenant_id AS "tenantId", name, state::text, reason, message, quote_id AS "quoteId", priority, version,
      attempt_number AS "attemptNumber", failed_attempts AS "failedAttempts", not_before AS "notBefore",
      stop_requested_at AS "stopRequestedAt", progress, waiting, announced, reserved_micro_usd AS "reservedMicroUsd",
      charged_micro_usd AS "chargedMicroUsd", created_at AS "createdAt", queued_at AS "queuedAt", started_at AS "startedAt",
      finished_at AS "finishedAt", held, array_id AS "arrayId", array_index AS "arrayIndex",
      jsonb_strip_nulls(jsonb_build_object('labels', spec -> 'labels', 'maxDuration', spec -> 'maxDuration')) AS spec,
      CASE WHEN state = 'running' THEN options ELSE '[]' END AS options,
      CASE WHEN options -> 0 IS NOT NULL THEN jsonb_build_object('accelerators', options #> '{0,offer,accelerators}',
        'nodes', options #> '{0,offer,nodes}', 'costUsd', options #> '{0,costUsd}',
        'durationSeconds', options #> '{0,durationSeconds}') END AS first
    FROM job WHERE id = ANY(${[...ids]})`;
  const attempts = await sql.attempt.findMany({
    where: { jobId: { in: [...ids] } },
    orderBy: { number: 'asc' },
    include: { instances: { orderBy: { node: 'asc' } } },
  });
  const attemptsOf = Map.groupBy(attempts, ({ jobId }) => jobId);
  const jobs = rows.map((row) => ({ ...row, attempts: attemptsOf.get(row.id) ?? [] }));
  const joined = new Map(
    (await joinJobs(sql, jobs, { now, places: 10_000, isWhole: false })).map((job) => [job.id, job]),
  );
  const firstOf = new Map(rows.map(({ id, first }) => [id, first]));
  return ids.flatMap((id) => {
    const job = joined.get(id);
    return job === undefined ? [] : [{ ...job, first: firstOf.get(id) ?? null }];
  });
}
