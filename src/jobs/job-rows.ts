import type { Prisma, Sql } from '../db/database.ts';

/** A job with all that its answer shows. */
export const shown = {
  attempts: { orderBy: { number: 'asc' }, include: { instances: { orderBy: { node: 'asc' } } } },
} as const satisfies Prisma.JobInclude;

export type JobRow = Prisma.JobGetPayload<{ include: typeof shown }>;

/** Of the option that it would run on first. */
export type FirstOption = {
  accelerators: { kind: string; count: number };
  nodes: number;
  costUsd: { p10: number; p50: number; p90: number };
  durationSeconds: { p10: number; p50: number; p90: number };
};

/** A job with only what lists need of its spec, and of its options only the one that it runs on. */
export type LightRow = JobRow & { first: FirstOption | null };

/** A job with its options and its quote can be a hundred times as large as what is read here. */
export async function readLightRows(sql: Sql, ids: readonly string[]): Promise<LightRow[]> {
  if (ids.length === 0) return [];
  const rows = await sql.$queryRaw<Omit<LightRow, 'attempts'>[]>`
    SELECT id, tenant_id AS "tenantId", name, state::text, reason, message, quote_id AS "quoteId", priority, version,
      attempt_number AS "attemptNumber", failed_attempts AS "failedAttempts", not_before AS "notBefore",
      stop_requested_at AS "stopRequestedAt", progress, waiting, announced, reserved_micro_usd AS "reservedMicroUsd",
      charged_micro_usd AS "chargedMicroUsd", created_at AS "createdAt", queued_at AS "queuedAt", started_at AS "startedAt",
      finished_at AS "finishedAt", held, array_id AS "arrayId", array_index AS "arrayIndex",
      jsonb_strip_nulls(jsonb_build_object('labels', spec -> 'labels', 'maxDuration', spec -> 'maxDuration')) AS spec,
      coalesce((SELECT jsonb_path_query_array(options, '$[*] ? (@.offer.id == $id)', jsonb_build_object('id', offer -> 'id'))
        FROM attempt WHERE job.state = 'running' AND job_id = job.id AND number = job.attempt_number), '[]') AS options,
      CASE WHEN options -> 0 IS NOT NULL THEN jsonb_build_object('accelerators', options #> '{0,offer,accelerators}',
        'nodes', options #> '{0,offer,nodes}', 'costUsd', options #> '{0,costUsd}',
        'durationSeconds', options #> '{0,durationSeconds}') END AS first
    FROM job WHERE id = ANY(${[...ids]})`;
  const attempts = await sql.attempt.findMany({
    where: { jobId: { in: [...ids] } },
    orderBy: shown.attempts.orderBy,
    include: shown.attempts.include,
  });
  const attemptsOf = Map.groupBy(attempts, ({ jobId }) => jobId);
  return rows.map((row) => ({ ...row, attempts: attemptsOf.get(row.id) ?? [] }));
}
