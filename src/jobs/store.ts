import { WeirError } from '../core/errors.ts';
import type { MicroUsd } from '../core/money.ts';
import type { Prisma, Database, Sql } from '../db/database.ts';
import type { JobState } from '../protocol/job.ts';
import type { JobSpec } from '../protocol/job-spec.ts';
import type { Quote, QuoteOption } from '../protocol/quote.ts';
import { deliveriesOf, recordDeliveries } from '../webhooks/store.ts';
import type { NextState } from './state.ts';

/** The first event of a job. */
const accepted = { attempt: null, reason: null, message: 'Accepted.' } as const;

export type NewJobRow = {
  id: string;
  tenantId: string;
  spec: JobSpec;
  quote: Quote;
  /** Whether the quote has to be stored too, or is there already. */
  isNewQuote: boolean;
  options: QuoteOption[];
  at: Date;
};

/**
 * Stores submissions, many in one statement: each becomes a quote (where new), a job and its first event, all or none.
 * A job whose id is there already is left as it was, so a repeated submission makes one job.
 */
export async function insertJobs(db: Database, rows: NewJobRow[]): Promise<void> {
  await db.pool.query({ name: 'insert-jobs', text: insertJobsSql, values: insertJobsValues(rows) });
}

/**
 * Stores one submission of a tenant that may have so many jobs queued. Its submissions are stored one after another, so that
 * many at once pass no cap; one that is stored already passes, also where it filled the cap.
 * @throws WeirError `too-many-queued`.
 */
export async function insertCapped(db: Database, row: NewJobRow, cap: number): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.$queryRaw`SELECT pg_advisory_xact_lock(hashtext(${`queue:${row.tenantId}`}))::text`;
    const queued = await tx.job.count({ where: { tenantId: row.tenantId, state: 'queued', id: { not: row.id } } });
    if (queued >= cap && (await tx.job.count({ where: { id: row.id } })) === 0) {
      throw new WeirError(
        'too-many-queued',
        `This tenant has ${queued} jobs queued, and its cap is ${cap}: wait for some to start, or cancel some.`,
      );
    }
    await tx.$executeRawUnsafe(insertJobsSql, ...insertJobsValues([row]));
  });
}

function insertJobsValues(rows: NewJobRow[]): [string, string, string] {
  const deliveries = rows.flatMap(({ id, tenantId, spec, at }) => {
    const change = { jobId: id, tenantId, name: spec.name, to: 'queued', at, ...accepted } as const;
    return deliveriesOf(spec.webhooks ?? [], change);
  });
  const jobs = rows.map(({ id, tenantId, spec, quote, options, at }) => ({
    id,
    tenant_id: tenantId,
    name: spec.name,
    spec,
    quote_id: quote.id,
    options,
    priority: spec.priority ?? 50,
    created_at: at,
  }));
  const quotes = rows
    .filter(({ isNewQuote }) => isNewQuote)
    .map(({ quote, tenantId, spec }) => ({
      id: quote.id,
      tenant_id: tenantId,
      spec,
      answer: quote,
      created_at: quote.createdAt,
      expires_at: quote.expiresAt,
    }));
  return [JSON.stringify(quotes), JSON.stringify(jobs), JSON.stringify(deliveries)];
}

const insertJobsSql = `
  WITH new_quote AS (
    INSERT INTO quote (id, tenant_id, spec, answer, created_at, expires_at)
    SELECT id, tenant_id, spec, answer, created_at, expires_at
    FROM jsonb_to_recordset($1::jsonb) AS q(id text, tenant_id text, spec jsonb, answer jsonb, created_at timestamptz, expires_at timestamptz)
    ON CONFLICT DO NOTHING
  ), new_job AS (
    INSERT INTO job (id, tenant_id, name, state, spec, quote_id, options, priority, created_at, queued_at)
    SELECT id, tenant_id, name, 'queued', spec, quote_id, options, priority, created_at, created_at
    FROM jsonb_to_recordset($2::jsonb) AS j(id text, tenant_id text, name text, spec jsonb, quote_id text, options jsonb, priority int, created_at timestamptz)
    ON CONFLICT DO NOTHING
    RETURNING id, created_at
  ), new_delivery AS (
    INSERT INTO webhook_delivery (id, job_id, tenant_id, url, type, body, created_at, next_try_at)
    SELECT d.id, "jobId", "tenantId", url, type, body, "createdAt", "createdAt"
    FROM jsonb_to_recordset($3::jsonb) AS d(id text, "jobId" text, "tenantId" text, url text, type text, body text, "createdAt" timestamptz)
    JOIN new_job ON new_job.id = d."jobId"
  )
  INSERT INTO job_event (job_id, at, type, "to", message)
  SELECT id, created_at, 'job.queued', 'queued', '${accepted.message}' FROM new_job`;

export type LockedJob = { state: JobState; attemptNumber: number };

/**
 * Holds a job's row until the transaction ends. Whoever changes a job's state, its attempt or its machines takes this first:
 * what is read after it stays so, and all wait in one order.
 */
export async function lockJob(tx: Sql, jobId: string): Promise<LockedJob | undefined> {
  const [job] = await tx.$queryRaw<LockedJob[]>`
    SELECT state::text, attempt_number AS "attemptNumber" FROM job WHERE id = ${jobId} FOR NO KEY UPDATE`;
  return job;
}

/** Somebody wants the job to end; the first wish stays. */
export async function requestStop(tx: Sql, jobId: string, at: Date): Promise<void> {
  await tx.job.updateMany({ where: { id: jobId, stopRequestedAt: null }, data: { stopRequestedAt: at } });
}

export type AttemptMoney = {
  jobId: string;
  attemptId: string;
  /** What the attempt has been charged in all, refunds taken off; and what its row says of it. */
  charged: MicroUsd;
  before: MicroUsd;
  /** What the job holds in reserve now. */
  reserved: MicroUsd;
};

/** What the ledger says of a job and its attempt, where their rows show it. In the transaction that writes the ledger. */
export async function recordMoney(
  tx: Sql,
  { jobId, attemptId, charged, before, reserved }: AttemptMoney,
): Promise<void> {
  await tx.attempt.update({ where: { id: attemptId }, data: { costMicroUsd: charged } });
  const data = { chargedMicroUsd: { increment: charged - before }, reservedMicroUsd: reserved };
  await tx.job.update({ where: { id: jobId }, data });
}

export type Move<From extends JobState> = {
  jobId: string;
  from: From;
  to: NextState<From>;
  at: Date;
  attempt: number | null;
  reason: string | null;
  message: string;
  set?: Prisma.JobUpdateManyMutationInput;
};

/**
 * Moves a job, the only way there is. The where-clause is the lock and the event is written with it. False where the job
 * is no longer in `from`: nothing was changed then.
 */
export async function move<From extends JobState>(
  tx: Sql,
  { jobId, from, to, at, attempt, reason, message, set = {} }: Move<From>,
): Promise<boolean> {
  const { count } = await tx.job.updateMany({
    where: { id: jobId, state: from },
    data: { ...set, state: to, reason, message, version: { increment: 1 } },
  });
  if (count === 0) return false;
  await recordEvent(tx, { jobId, at, type: `job.${to}`, attempt, from, to, reason, message });
  await recordDeliveries(tx, jobId, { to, at, attempt, reason, message });
  return true;
}

export type NewEvent = {
  jobId: string;
  at: Date;
  type: string;
  attempt: number | null;
  from: JobState | null;
  to: JobState | null;
  reason: string | null;
  message: string;
};

/** Writes an event and lets those who follow the job know of it on commit. */
export async function recordEvent(tx: Sql, event: NewEvent): Promise<void> {
  await tx.jobEvent.create({ data: event });
  await tx.$queryRaw`SELECT pg_notify('weir_job', ${event.jobId})::text`;
}

/** A job with all that its answer shows. */
const shown = {
  attempts: { orderBy: { number: 'asc' }, include: { instances: { orderBy: { node: 'asc' } } } },
} as const satisfies Prisma.JobInclude;

export type ShownJob = Prisma.JobGetPayload<{ include: typeof shown }> & { quote: Quote | null };

export async function findShownJob(sql: Sql, jobId: string): Promise<ShownJob | undefined> {
  const job = await sql.job.findUnique({ where: { id: jobId }, include: shown });
  if (job === null) return undefined;
  const [withQuote] = await joinQuotes(sql, [job]);
  return withQuote;
}

export type JobFilter = { tenantId: string | null; state?: JobState; name?: string; after?: string; limit: number };

/** Newest first. */
export async function listShownJobs(sql: Sql, { tenantId, state, name, after, limit }: JobFilter): Promise<ShownJob[]> {
  const jobs = await sql.job.findMany({
    where: {
      ...(tenantId === null ? {} : { tenantId }),
      ...(state === undefined ? {} : { state }),
      ...(name === undefined ? {} : { name }),
      ...(after === undefined ? {} : { id: { lt: after } }),
    },
    orderBy: { id: 'desc' },
    take: limit,
    include: shown,
  });
  return joinQuotes(sql, jobs);
}

async function joinQuotes<T extends { quoteId: string }>(
  sql: Sql,
  jobs: T[],
): Promise<(T & { quote: Quote | null })[]> {
  const quotes = await sql.quote.findMany({
    where: { id: { in: jobs.map((job) => job.quoteId) } },
    select: { id: true, answer: true },
  });
  const answers = new Map(quotes.map(({ id, answer }) => [id, answer as unknown as Quote]));
  return jobs.map((job) => ({ ...job, quote: answers.get(job.quoteId) ?? null }));
}
