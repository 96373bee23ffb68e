import type { Prisma, Database, Sql } from '../db/database.ts';
import type { JobSpec } from '../protocol/job-spec.ts';
import type { Offer, Quote } from '../protocol/quote.ts';
import { storedAnswer, unpack } from './packed.ts';

/** A finished job with its quote and the offers its attempts ran on. */
export type FinishedJob = {
  jobId: string;
  tenantId: string;
  name: string;
  spec: JobSpec;
  quote: Quote;
  /** How many tasks the quote was of, where the job is one of them. */
  tasks: number;
  finishedAt: Date;
  chargedMicroUsd: bigint;
  /** At its maxDuration, before it was done. */
  wasStopped: boolean;
  attempts: { offer: Offer; startedAt: Date; finishedAt: Date }[];
};

/** Of these jobs those that succeeded or ran into their maxDuration: only then is something known of how long they take. */
export async function findFinishedJobs(sql: Sql, jobIds: string[]): Promise<FinishedJob[]> {
  const jobs = await sql.job.findMany({
    where: { id: { in: jobIds }, OR: [{ state: 'succeeded' }, { state: 'failed', reason: 'max-duration' }] },
    include: { attempts: { orderBy: { number: 'asc' } } },
  });
  const quoteIds = [...new Set(jobs.map(({ quoteId }) => quoteId))];
  const quotes = await sql.quote.findMany({ where: { id: { in: quoteIds } }, select: { id: true, ...storedAnswer } });
  const arrayIds = [...new Set(jobs.flatMap(({ arrayId }) => arrayId ?? []))];
  const arrays = arrayIds.length === 0 ? [] : await sql.jobArray.findMany({ where: { jobId: { in: arrayIds } } });
  const quoteOf = new Map(quotes.map(({ id, ...stored }) => [id, unpack(stored)]));
  const tasksOf = new Map(arrays.map(({ jobId, tasks }) => [jobId, tasks]));
  return jobs.flatMap((job) => {
    const quote = quoteOf.get(job.quoteId);
    return quote === undefined ? [] : [finishedJob(job, quote, tasksOf.get(job.arrayId ?? '') ?? 1)];
  });
}

type JobWithAttempts = Prisma.JobGetPayload<{ include: { attempts: true } }>;

function finishedJob(job: JobWithAttempts, quote: Quote, tasks: number): FinishedJob {
  const attempts = job.attempts.flatMap(({ offer, startedAt, finishedAt }) =>
    startedAt === null || finishedAt === null ? [] : [{ offer: offer as unknown as Offer, startedAt, finishedAt }],
  );
  return {
    jobId: job.id,
    tenantId: job.tenantId,
    name: job.name,
    spec: job.spec as unknown as JobSpec,
    quote,
    tasks,
    finishedAt: job.finishedAt ?? attempts.at(-1)?.finishedAt ?? job.queuedAt,
    chargedMicroUsd: job.chargedMicroUsd,
    wasStopped: job.state !== 'succeeded',
    attempts,
  };
}

/** How far back is looked. */
const newestOfAll = 5_000;

export type NewResidual = Prisma.QuoteResidualCreateManyInput & { logRatio: number; model: string };

/** One row a job: what was quoted and what came stay; the ratio is replaced where it was of another model. */
export async function insertResiduals(sql: Sql, residuals: NewResidual[]): Promise<void> {
  if (residuals.length === 0) return;
  await sql.quoteResidual.createMany({ data: residuals, skipDuplicates: true });
  const ratios = JSON.stringify(residuals.map(({ jobId, logRatio, model }) => ({ id: jobId, ratio: logRatio, model })));
  await sql.$executeRaw`
    UPDATE quote_residual SET log_ratio = r.ratio, model = r.model
    FROM jsonb_to_recordset(${ratios}::jsonb) AS r(id text, ratio float8, model text)
    WHERE job_id = r.id AND quote_residual.model IS DISTINCT FROM r.model`;
}

/** The newest finished jobs whose residual is of another model are to be compared anew. */
export async function insertDueOfOtherModels(sql: Sql, model: string, since: Date): Promise<void> {
  await sql.$executeRaw`
    INSERT INTO calibration_due (job_id, since)
    SELECT job_id, ${since} FROM quote_residual WHERE model IS DISTINCT FROM ${model} ORDER BY finished_at DESC LIMIT ${newestOfAll}
    ON CONFLICT DO NOTHING`;
}

/** One finished job, as history is made of. */
export type ResidualRow = {
  tenantId: string;
  jobName: string;
  basis: string;
  kind: string;
  workKind: string;
  logRatio: number;
  predictedSeconds: number;
  p10Seconds: number;
  p90Seconds: number;
  actualSeconds: number;
  wasStopped: boolean;
};

const columns = `tenant_id AS "tenantId", job_name AS "jobName", basis, kind, work_kind AS "workKind", log_ratio AS "logRatio",
  predicted_seconds AS "predictedSeconds", p10_seconds AS "p10Seconds", p90_seconds AS "p90Seconds", actual_seconds AS "actualSeconds",
  was_stopped AS "wasStopped"`;

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

/** Of a tenant or of all, the newest of each name and description that was done, newest first. */
export async function readNewestOfEachName(
  db: Database,
  tenantId: string | null,
  newest: number,
): Promise<ResidualRow[]> {
  const where = `WHERE NOT was_stopped${tenantId === null ? '' : ' AND tenant_id = $3'}`;
  const values = tenantId === null ? [newestOfAll, newest] : [newestOfAll, newest, tenantId];
  const { rows } = await db.pool.query<ResidualRow>(
    `SELECT * FROM (
      SELECT DISTINCT ON (tenant_id, job_name, basis, kind, work_kind) ${columns}, finished_at
      FROM (SELECT * FROM quote_residual ${where} ORDER BY finished_at DESC LIMIT $1) recent
      ORDER BY tenant_id, job_name, basis, kind, work_kind, finished_at DESC
    ) newest ORDER BY finished_at DESC LIMIT $2`,
    values,
  );
  return rows;
}

/** A job that has ended is to be compared with its quote. Saying so twice is saying it once. */
export async function insertDue(sql: Sql, jobId: string, since: Date): Promise<void> {
  await sql.$executeRaw`INSERT INTO calibration_due (job_id, since) VALUES (${jobId}, ${since}) ON CONFLICT DO NOTHING`;
}

/** Takes jobs to compare them, in the transaction that does so. Without those that another has taken. */
export async function takeDue(sql: Sql, jobIds: string[]): Promise<string[]> {
  const rows = await sql.$queryRaw<{ id: string }[]>`
    DELETE FROM calibration_due WHERE job_id IN (
      SELECT job_id FROM calibration_due WHERE job_id = ANY(${jobIds}) ORDER BY job_id FOR UPDATE
    ) RETURNING job_id AS id`;
  return rows.map(({ id }) => id);
}

/** Those whose wake-up seems to be lost, oldest first. */
export async function listDue(sql: Sql, before: Date, limit: number): Promise<string[]> {
  const rows = await sql.calibrationDue.findMany({
    where: { since: { lt: before } },
    orderBy: { since: 'asc' },
    take: limit,
    select: { jobId: true },
  });
  return rows.map(({ jobId }) => jobId);
}
