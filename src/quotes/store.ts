import { notFound, WeirError } from '../core/errors.ts';
import { Prisma, type Database, type Sql } from '../db/database.ts';
import type { JobSpec } from '../protocol/job-spec.ts';
import type { Offer, Quote } from '../protocol/quote.ts';

/** A quote's row, as it is inserted alone here and with its job by a submission. */
export function toQuoteRow(quote: Quote, tenantId: string, spec: JobSpec): Prisma.QuoteCreateManyInput {
  return {
    id: quote.id,
    tenantId,
    spec: spec as Prisma.InputJsonObject,
    answer: quote as unknown as Prisma.InputJsonObject,
    createdAt: quote.createdAt,
    expiresAt: quote.expiresAt,
  };
}

/** Inserting the same quote twice is inserting it once. */
export async function insertQuote(sql: Sql, quote: Quote, tenantId: string, spec: JobSpec): Promise<void> {
  await sql.quote.createMany({ data: [toQuoteRow(quote, tenantId, spec)], skipDuplicates: true });
}

export type StoredQuote = { quote: Quote; spec: JobSpec };

/** @throws WeirError `not-found`, also for another tenant's. */
export async function requireQuote(sql: Sql, tenantId: string, quoteId: string): Promise<StoredQuote> {
  const row = await sql.quote.findFirst({ where: { id: quoteId, tenantId } });
  if (row === null) throw notFound('quote', quoteId);
  return { quote: row.answer as unknown as Quote, spec: row.spec as unknown as JobSpec };
}

/** Whosever it is. */
export async function findQuote(sql: Sql, quoteId: string): Promise<(StoredQuote & { tenantId: string }) | undefined> {
  const row = await sql.quote.findUnique({ where: { id: quoteId } });
  return row === null
    ? undefined
    : { tenantId: row.tenantId, quote: row.answer as unknown as Quote, spec: row.spec as unknown as JobSpec };
}

/** @throws WeirError `not-found`, or `expired` for a quote whose prices no longer hold. */
export async function requireLiveQuote(sql: Sql, tenantId: string, quoteId: string, now: Date): Promise<StoredQuote> {
  const stored = await requireQuote(sql, tenantId, quoteId);
  if (Date.parse(stored.quote.expiresAt) > now.getTime()) return stored;
  throw new WeirError(
    'expired',
    `The quote ${quoteId} expired at ${stored.quote.expiresAt}: ask for a new one, or submit without quoteId.`,
  );
}

/** A finished job with its quote and the offers its attempts ran on. */
export type FinishedJob = {
  jobId: string;
  tenantId: string;
  name: string;
  spec: JobSpec;
  quote: Quote;
  finishedAt: Date;
  chargedMicroUsd: bigint;
  attempts: { offer: Offer; startedAt: Date; stoppingAt: Date }[];
};

/** Undefined where the job has not succeeded: only then is it known how long the whole work takes. */
export async function findFinishedJob(sql: Sql, jobId: string): Promise<FinishedJob | undefined> {
  const job = await sql.job.findFirst({
    where: { id: jobId, state: 'succeeded' },
    include: { attempts: { orderBy: { number: 'asc' } } },
  });
  const quote =
    job === null ? null : await sql.quote.findUnique({ where: { id: job.quoteId }, select: { answer: true } });
  if (job === null || quote === null) return undefined;
  const attempts = job.attempts.flatMap(({ offer, startedAt, stoppingAt, finishedAt }) => {
    const end = stoppingAt ?? finishedAt;
    return startedAt === null || end === null ? [] : [{ offer: offer as unknown as Offer, startedAt, stoppingAt: end }];
  });
  return {
    jobId,
    tenantId: job.tenantId,
    name: job.name,
    spec: job.spec as unknown as JobSpec,
    quote: quote.answer as unknown as Quote,
    finishedAt: job.finishedAt ?? attempts.at(-1)?.stoppingAt ?? job.queuedAt,
    chargedMicroUsd: job.chargedMicroUsd,
    attempts,
  };
}

export async function insertResidual(sql: Sql, residual: Prisma.QuoteResidualCreateManyInput): Promise<void> {
  await sql.quoteResidual.createMany({ data: [residual], skipDuplicates: true });
}

/** One finished job, as history is made of. */
export type ResidualRow = {
  tenantId: string;
  jobName: string;
  basis: string;
  kind: string;
  logRatio: number;
  predictedSeconds: number;
  p10Seconds: number;
  p90Seconds: number;
  actualSeconds: number;
};

const columns = `tenant_id AS "tenantId", job_name AS "jobName", basis, kind, log_ratio AS "logRatio",
  predicted_seconds AS "predictedSeconds", p10_seconds AS "p10Seconds", p90_seconds AS "p90Seconds", actual_seconds AS "actualSeconds"`;

/** The newest of each of these names, in one statement for many who ask at once. */
export async function readResidualsOfNames(
  db: Database,
  wanted: readonly { tenantId: string; name: string }[],
  newest: number,
): Promise<ResidualRow[]> {
  const { rows } = await db.pool.query<ResidualRow>({
    name: 'residuals-of-names',
    text: `SELECT r.* FROM unnest($1::text[], $2::text[]) AS wanted(tenant, name)
      CROSS JOIN LATERAL (SELECT ${columns} FROM quote_residual WHERE tenant_id = wanted.tenant AND job_name = wanted.name ORDER BY finished_at DESC LIMIT $3) r`,
    values: [wanted.map(({ tenantId }) => tenantId), wanted.map(({ name }) => name), newest],
  });
  return rows;
}

/** The newest of a tenant, or of all. */
export async function readNewestResiduals(
  db: Database,
  tenantId: string | null,
  newest: number,
): Promise<ResidualRow[]> {
  const where = tenantId === null ? '' : 'WHERE tenant_id = $2';
  const values = tenantId === null ? [newest] : [newest, tenantId];
  const { rows } = await db.pool.query<ResidualRow>(
    `SELECT ${columns} FROM quote_residual ${where} ORDER BY finished_at DESC LIMIT $1`,
    values,
  );
  return rows;
}

export type AccuracyRow = {
  finishedJobs: number;
  medianError: number | null;
  p90Error: number | null;
  bias: number | null;
  coverage: number | null;
};

/** Errors over all residuals of a tenant, or of all tenants, as shares of the actual duration. */
export async function readAccuracy(sql: Sql, tenantId: string | null): Promise<AccuracyRow> {
  const where = tenantId === null ? Prisma.empty : Prisma.sql`WHERE tenant_id = ${tenantId}`;
  const [row] = await sql.$queryRaw<AccuracyRow[]>(Prisma.sql`
    SELECT count(*)::int AS "finishedJobs",
      percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(predicted_seconds - actual_seconds) / actual_seconds) AS "medianError",
      percentile_cont(0.9) WITHIN GROUP (ORDER BY abs(predicted_seconds - actual_seconds) / actual_seconds) AS "p90Error",
      percentile_cont(0.5) WITHIN GROUP (ORDER BY (predicted_seconds - actual_seconds) / actual_seconds) AS "bias",
      avg((actual_seconds BETWEEN p10_seconds AND p90_seconds)::int)::float8 AS "coverage"
    FROM quote_residual ${where}`);
  return row ?? { finishedJobs: 0, medianError: null, p90Error: null, bias: null, coverage: null };
}

export function countQuotes(sql: Sql, tenantId: string | null): Promise<number> {
  return tenantId === null ? sql.quote.count() : sql.quote.count({ where: { tenantId } });
}
