import { Prisma, type Sql } from '../db/database.ts';

/** Shares of what came, over a group of finished jobs. Null where no job tells. */
export type Errors = {
  medianError: number | null;
  p90Error: number | null;
  bias: number | null;
  coverage: number | null;
};

/** One of `kind`, `basis` and `day` names the group; all null: the whole. */
export type AccuracyRow = {
  kind: string | null;
  basis: string | null;
  day: Date | null;
  finishedJobs: number;
  duration: Errors;
  cost: Errors;
};

const errorsOf = (predicted: string, actual: string, [low, high]: [string, string]): string => `json_build_object(
  'medianError', percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(${predicted} - ${actual}) / nullif(${actual}, 0)),
  'p90Error', percentile_cont(0.9) WITHIN GROUP (ORDER BY abs(${predicted} - ${actual}) / nullif(${actual}, 0)),
  'bias', percentile_cont(0.5) WITHIN GROUP (ORDER BY (${predicted} - ${actual}) / nullif(${actual}, 0)),
  'coverage', avg((${actual} BETWEEN ${low} AND ${high})::int)::float8)`;

const durationErrors = errorsOf('predicted_seconds', 'actual_seconds', ['p10_seconds', 'p90_seconds']);
const costErrors = errorsOf('predicted_micro_usd::float8', 'actual_micro_usd::float8', [
  'p10_micro_usd',
  'p90_micro_usd',
]);

/** How the quotes of a tenant's finished jobs did, or of all: in all, by accelerator, by basis and by day. */
export async function readAccuracy(sql: Sql, tenantId: string | null): Promise<AccuracyRow[]> {
  return sql.$queryRaw<AccuracyRow[]>(Prisma.sql`
    SELECT kind, basis, day, count(*)::int AS "finishedJobs",
      ${Prisma.raw(durationErrors)} AS duration, ${Prisma.raw(costErrors)} AS cost
    FROM (
      SELECT kind, coalesce(quoted_basis, basis) AS basis, date_trunc('day', finished_at) AS day,
        predicted_seconds, actual_seconds, p10_seconds, p90_seconds,
        predicted_micro_usd, actual_micro_usd, p10_micro_usd, p90_micro_usd
      FROM quote_residual WHERE NOT was_stopped ${andOfTenant(tenantId)}
    ) finished
    GROUP BY GROUPING SETS ((), (kind), (basis), (day)) ORDER BY kind, basis, day`);
}

/** A pilot is a job and has a quote of its own, which nobody asked for: it is not counted beside the one it serves. */
export async function countQuotes(sql: Sql, tenantId: string | null): Promise<number> {
  const [row] = await sql.$queryRaw<{ quotes: number }[]>(Prisma.sql`
    WITH of_tenant AS (SELECT id FROM quote WHERE true ${andOfTenant(tenantId)})
    SELECT count(*)::int AS quotes FROM of_tenant
    WHERE id NOT IN (SELECT job.quote_id FROM pilot JOIN job ON job.id = pilot.job_id)`);
  return row?.quotes ?? 0;
}

/** A finished job whose scale is known. */
export type ScaledRow = { parameters: number | null; flops: number | null; usd: number; acceleratorHours: number };

/** The linear law is fitted on so many, the newest. */
const newestOfLaw = 5_000;

export async function readScaled(sql: Sql, tenantId: string | null): Promise<ScaledRow[]> {
  return sql.$queryRaw<ScaledRow[]>(Prisma.sql`
    SELECT parameters, flops, actual_micro_usd / 1e6::float8 AS usd, accelerator_seconds / 3600 AS "acceleratorHours"
    FROM quote_residual WHERE NOT was_stopped ${andOfTenant(tenantId)}
      AND accelerator_seconds > 0 AND actual_micro_usd > 0 AND (parameters > 0 OR flops > 0)
    ORDER BY finished_at DESC LIMIT ${newestOfLaw}`);
}

function andOfTenant(tenantId: string | null): Prisma.Sql {
  return tenantId === null ? Prisma.empty : Prisma.sql`AND tenant_id = ${tenantId}`;
}
