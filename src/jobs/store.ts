import { WeirError } from '../core/errors.ts';
import type { MicroUsd } from '../core/money.ts';
import type { Database, Sql } from '../db/database.ts';
import type { JobState } from '../protocol/job.ts';
import type { JobSpec } from '../protocol/job-spec.ts';
import type { QuoteOption } from '../protocol/quote.ts';
import { tasksOf } from '../quotes/array.ts';
import { packLines, type QuoteAsText } from '../quotes/store.ts';
import { deliveriesOf, type Teller } from '../webhooks/store.ts';
import { countWaiting } from './array-store.ts';
import { holdDependencies, type Dependency } from './dependency-store.ts';

/** The first event of a job. */
const accepted = { attempt: null, reason: null, message: 'Accepted.' } as const;

export type NewJobRow = {
  id: string;
  tenantId: string;
  spec: JobSpec;
  quote: QuoteAsText;
  /** Whether the quote has to be stored too, or is there already. */
  isNewQuote: boolean;
  options: QuoteOption[];
  at: Date;
  /** What it waits for, with whether that has come already. */
  dependencies?: Dependency[];
};

/**
 * Stores submissions, many in one statement: each becomes a quote (where new), a job and its first event, all or none.
 * A job whose id is there already is left as it was, so a repeated submission makes one job.
 */
export async function insertJobs(db: Database, rows: NewJobRow[]): Promise<void> {
  await db.pool.query({ name: 'insert-jobs', text: insertJobsSql, values: await insertJobsValues(rows) });
}

type Admission = {
  /** Of jobs queued. */
  cap: number | undefined;
  /** Takes the machines that the job may run on, and says which of its options are left. */
  take: (tx: Sql) => Promise<QuoteOption[]>;
};

/**
 * Stores one submission that depends on other jobs, whose tenant may have only so many queued, or that takes a machine for its tenant alone;
 * answers it as it was stored. A tenant's submissions under a cap are stored one after another, so that many at once pass no cap; one that is
 * stored already passes, also where it filled the cap.
 * @throws WeirError `too-many-queued`.
 */
export async function insertAlone(db: Database, given: NewJobRow, { cap, take }: Admission): Promise<NewJobRow> {
  return db.transaction(async (tx) => {
    if (cap !== undefined) await requireRoom(tx, given, cap);
    const dependencies = await holdDependencies(tx, given.spec.dependsOn ?? []);
    const row = { ...given, options: await take(tx), dependencies };
    await tx.$executeRawUnsafe(insertJobsSql, ...(await insertJobsValues([row])));
    return row;
  });
}

async function requireRoom(tx: Sql, { id, tenantId, spec }: NewJobRow, cap: number): Promise<void> {
  await tx.$queryRaw`SELECT pg_advisory_xact_lock(hashtext(${`queue:${tenantId}`}))::text`;
  const queued = await countWaiting(tx, tenantId, id);
  const added = tasksOf(spec);
  if (queued + added <= cap || (await tx.job.count({ where: { id } })) > 0) return;
  const more = added === 1 ? '' : `, and this array has ${added} tasks`;
  throw new WeirError(
    'too-many-queued',
    `This tenant has ${queued} jobs queued, and its cap is ${cap}${more}: wait for some to start, or cancel some.`,
  );
}

async function insertJobsValues(rows: NewJobRow[]): Promise<[string, string, string]> {
  const deliveries = rows.flatMap(({ id, tenantId, spec, at }) => {
    const change = { jobId: id, tenantId, name: spec.name, to: 'queued', at, ...accepted } as const;
    return deliveriesOf(spec.webhooks ?? [], change);
  });
  const quotes: string[] = [];
  const jobs = rows.map(({ id, tenantId, spec, quote, isNewQuote, options, at, dependencies = [] }) => ({
    id,
    tenant_id: tenantId,
    name: spec.name,
    spec,
    quote_id: quote.id,
    quote_line: isNewQuote ? quotes.push(quote.text) : null,
    quote_created_at: quote.createdAt,
    quote_expires_at: quote.expiresAt,
    options,
    priority: spec.priority ?? 50,
    created_at: at,
    held: spec.array !== undefined || dependencies.some(({ state }) => state !== 'met'),
    tasks: spec.array === undefined ? null : tasksOf(spec),
    dependencies,
  }));
  return [JSON.stringify(jobs), await packLines(quotes), JSON.stringify(deliveries)];
}

/** Quotes come as lines, not inside of JSON: PostgreSQL would take them apart to find where each ends. */
const insertJobsSql = `
  WITH submitted AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset($1::jsonb) AS j(id text, tenant_id text, name text, spec jsonb, quote_id text,
      quote_line int, quote_created_at timestamptz, quote_expires_at timestamptz, options jsonb, priority int, created_at timestamptz, held boolean, tasks int, dependencies jsonb)
  ), new_quote AS (
    INSERT INTO quote (id, tenant_id, spec, packed, created_at, expires_at)
    SELECT quote_id, tenant_id, spec, decode(packed, 'base64'), quote_created_at, quote_expires_at
    FROM string_to_table($2, E'\\n') WITH ORDINALITY AS q(packed, line) JOIN submitted ON quote_line = line
    ON CONFLICT DO NOTHING
  ), new_job AS (
    INSERT INTO job (id, tenant_id, name, state, spec, quote_id, options, priority, created_at, queued_at, held)
    SELECT id, tenant_id, name, 'queued', spec, quote_id, options, priority, created_at, created_at, held FROM submitted
    ON CONFLICT DO NOTHING
    RETURNING id, created_at
  ), new_delivery AS (
    INSERT INTO webhook_delivery (id, job_id, tenant_id, url, type, body, created_at, next_try_at)
    SELECT d.id, "jobId", "tenantId", url, type, body, "createdAt", "createdAt"
    FROM jsonb_to_recordset($3::jsonb) AS d(id text, "jobId" text, "tenantId" text, url text, type text, body text, "createdAt" timestamptz)
    JOIN new_job ON new_job.id = d."jobId"
  ), new_array AS (
    INSERT INTO job_array (job_id, tenant_id, tasks, unmade)
    SELECT id, tenant_id, tasks, tasks FROM new_job JOIN submitted USING (id) WHERE tasks IS NOT NULL
  ), new_dependency AS (
    INSERT INTO job_dependency (job_id, depends_on_id, condition, state)
    SELECT id, d.job, d.condition, d.state FROM new_job JOIN submitted USING (id)
    CROSS JOIN LATERAL jsonb_to_recordset(dependencies) AS d(job text, condition text, state text)
  )
  INSERT INTO job_event (job_id, at, type, "to", message)
  SELECT id, created_at, 'job.queued', 'queued', '${accepted.message}' FROM new_job`;

/** A task's row has of its array's spec what the broker decides by; what only its machine needs stays with the array. */
const undecided = ['array', 'files', 'command', 'setup', 'env', 'dependsOn', 'webhooks'];

/** Makes tasks of an array into jobs of their own, which wait where the array stands. */
export async function insertTasks(
  tx: Sql,
  { arrayId, ids, firstIndex, at }: { arrayId: string; ids: string[]; firstIndex: number; at: Date },
): Promise<void> {
  await tx.$executeRaw`
    WITH task AS (
      SELECT id, (${firstIndex} + place - 1)::int AS index FROM unnest(${ids}::text[]) WITH ORDINALITY AS t(id, place)
    ), new_task AS (
      INSERT INTO job (id, tenant_id, name, state, spec, quote_id, options, priority, created_at, queued_at, array_id, array_index)
      SELECT task.id, tenant_id, name, 'queued', spec - ${undecided}::text[], quote_id, options, priority, ${at}, queued_at, job.id, index
      FROM job CROSS JOIN task WHERE job.id = ${arrayId}
      RETURNING id, array_index
    )
    INSERT INTO job_event (job_id, at, type, "to", message)
    SELECT id, ${at}, 'job.queued', 'queued', 'Task ' || array_index || ' of ' || ${arrayId} || '.' FROM new_task`;
}

export type LockedJob = { state: JobState; tenantId: string; attemptNumber: number };

/**
 * Holds a job's row until the transaction ends. Whoever changes a job's state, its attempt or its machines takes this first:
 * what is read after it stays so, and all wait in one order.
 */
export async function lockJob(tx: Sql, jobId: string): Promise<LockedJob | undefined> {
  const [job] = await tx.$queryRaw<LockedJob[]>`
    SELECT state::text, tenant_id AS "tenantId", attempt_number AS "attemptNumber" FROM job WHERE id = ${jobId} FOR NO KEY UPDATE`;
  return job;
}

/** Somebody wants the job to end. False where that was wished before: the first wish stays. */
export async function requestStop(tx: Sql, jobId: string, at: Date): Promise<boolean> {
  const wish = { where: { id: jobId, stopRequestedAt: null }, data: { stopRequestedAt: at } };
  return (await tx.job.updateMany(wish)).count > 0;
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
  const chargedMicroUsd = { increment: charged - before };
  const { arrayId } = await tx.job.update({
    where: { id: jobId },
    data: { chargedMicroUsd, reservedMicroUsd: reserved },
    select: { arrayId: true },
  });
  if (arrayId !== null)
    await tx.job.update({ where: { id: arrayId }, data: { chargedMicroUsd }, select: { id: true } });
}

export type ClosedAttempt = {
  jobId: string;
  attemptId: string;
  state: JobState;
  reason: string;
  at: Date;
  lostSeconds: number;
  /** In all, refunds taken off; and what its row said of it before. */
  charged: MicroUsd;
  before: MicroUsd;
};

/** Ends an attempt, and says on the rows of its job and of the array that it is a task of what the ledger says. */
export async function closeAttempt(
  tx: Sql,
  { jobId, attemptId, state, reason, at, lostSeconds, charged, before }: ClosedAttempt,
): Promise<void> {
  await tx.$executeRaw`
    WITH attempt AS (
      UPDATE attempt SET state = ${state}::"JobState", reason = ${reason}, finished_at = ${at}, lost_seconds = ${lostSeconds}::float8,
        cost_micro_usd = ${charged}::bigint
      WHERE id = ${attemptId}
    ), own AS (
      UPDATE job SET charged_micro_usd = charged_micro_usd + ${charged - before}::bigint, reserved_micro_usd = 0
      WHERE id = ${jobId}
      RETURNING array_id
    )
    UPDATE job SET charged_micro_usd = charged_micro_usd + ${charged - before}::bigint FROM own WHERE job.id = own.array_id`;
}

/** Answers whom to tell; undefined where it was announced before, or the attempt runs no more. */
export async function markAnnounced(
  tx: Sql,
  { jobId, attempt, type }: { jobId: string; attempt: number; type: string },
): Promise<Teller | undefined> {
  const [teller] = await tx.$queryRaw<Teller[]>`
    UPDATE job SET announced = array_append(announced, ${type})
    WHERE id = ${jobId} AND attempt_number = ${attempt} AND state = 'running' AND NOT ${type} = ANY (announced)
    RETURNING id AS "jobId", tenant_id AS "tenantId", name, spec -> 'webhooks' AS webhooks`;
  return teller;
}
