import { Prisma, type Sql } from '../db/database.ts';
import type { JobState } from '../protocol/job.ts';
import type { QuoteOption } from '../protocol/quote.ts';
import type { MicroUsd } from '../core/money.ts';
import { recordDeliveries, type Teller } from '../webhooks/store.ts';
import { countEnd, hasAllEnded, type TaskEnds } from './array-store.ts';
import { endOfArray } from './array.ts';
import { markDependencies } from './dependency-store.ts';
import { isEnd, isForward, type EndState, type NextState } from './state.ts';
import { lockJob } from './store.ts';

/** What else may change on a job's row as it moves. */
export type Changes = {
  attemptNumber?: number;
  failedAttempts?: number;
  reservedMicroUsd?: MicroUsd;
  options?: QuoteOption[];
  waiting?: null;
  notBefore?: Date | null;
  /** Kept where it is set already. */
  startedAt?: Date;
  finishedAt?: Date;
};

const columns = {
  attemptNumber: { name: 'attempt_number', type: 'int' },
  failedAttempts: { name: 'failed_attempts', type: 'int' },
  reservedMicroUsd: { name: 'reserved_micro_usd', type: 'bigint' },
  options: { name: 'options', type: 'jsonb' },
  waiting: { name: 'waiting', type: 'jsonb' },
  notBefore: { name: 'not_before', type: 'timestamptz' },
  startedAt: { name: 'started_at', type: 'timestamptz' },
  finishedAt: { name: 'finished_at', type: 'timestamptz' },
} as const satisfies Record<keyof Changes, { name: string; type: string }>;

const isChange = (field: string): field is keyof Changes => field in columns;

export type Moved = {
  jobId: string;
  attempt: number | null;
  reason: string | null;
  message: string;
  set?: Changes;
};

type Step<From extends JobState> = { from: From; to: NextState<From>; at: Date };

export type Move<From extends JobState> = Step<From> & Moved;

/**
 * Moves jobs, the only way there is: all by the same step, each with the same fields set. The where-clause is the lock and the event
 * is written with it, and so is what follows for the jobs that depend on them and for the arrays that they are tasks of. Answers
 * those that were moved: what is no longer in `from` stays as it is.
 */
export async function moveAll<From extends JobState>(tx: Sql, step: Step<From>, jobs: Moved[]): Promise<Set<string>> {
  const { to, at } = step;
  const rows = await updateJobs(tx, step, jobs);
  for (const { arrayId, ...teller } of rows) {
    const { jobId } = teller;
    const job = jobs.find((each) => each.jobId === jobId);
    if (job !== undefined) await recordDeliveries(tx, teller, { ...job, to, at });
    if (isEnd(to)) await settleDependents(tx, jobId, to);
    if (arrayId !== null) await followTask(tx, arrayId, to, at);
  }
  return new Set(rows.map(({ jobId }) => jobId));
}

/** The same for one. False where the job is no longer in `from`: nothing was changed then. */
export async function move<From extends JobState>(tx: Sql, { from, to, at, ...job }: Move<From>): Promise<boolean> {
  const moved = await moveAll(tx, { from, to, at }, [job]);
  return moved.has(job.jobId);
}

type MovedRow = Teller & { arrayId: string | null };

/** One round trip: rows and events, and on commit those who follow the jobs know. */
async function updateJobs<From extends JobState>(
  tx: Sql,
  { from, to, at }: Step<From>,
  jobs: Moved[],
): Promise<MovedRow[]> {
  const fields = Object.keys(jobs[0]?.set ?? {}).filter(isChange);
  const given = fields.map((field) => `, ${columns[field].name} ${columns[field].type}`);
  const changed = fields.map((field) => {
    const { name } = columns[field];
    return `, ${name} = ${field === 'startedAt' ? `coalesce(job.${name}, wanted.${name})` : `wanted.${name}`}`;
  });
  return tx.$queryRaw<MovedRow[]>`
    WITH wanted AS (
      SELECT * FROM jsonb_to_recordset(${rowsOf(jobs, fields)}::jsonb)
        AS w(id text, attempt int, reason text, message text ${Prisma.raw(given.join(''))})
    ), moved AS (
      UPDATE job SET state = ${to}::"JobState", reason = wanted.reason, message = wanted.message, version = version + 1
        ${Prisma.raw(changed.join(''))}
      FROM wanted WHERE job.id = wanted.id AND job.state = ${from}::"JobState"
      RETURNING job.id, tenant_id, name, array_id, spec -> 'webhooks' AS webhooks, attempt, job.reason, job.message
    ), event AS (
      INSERT INTO job_event (job_id, at, type, attempt, "from", "to", reason, message)
      SELECT id, ${at}, ${`job.${to}`}, attempt, ${from}::"JobState", ${to}::"JobState", reason, message FROM moved
    )
    SELECT id AS "jobId", tenant_id AS "tenantId", name, webhooks, array_id AS "arrayId", pg_notify('weir_job', id)::text
    FROM moved`;
}

function rowsOf(jobs: Moved[], fields: (keyof Changes)[]): string {
  return JSON.stringify(
    jobs.map(({ jobId, attempt, reason, message, set }) => ({
      id: jobId,
      attempt,
      reason,
      // JSON has no half characters, which a cut text may end with.
      message: message.toWellFormed(),
      ...Object.fromEntries(fields.map((field) => [columns[field].name, set?.[field]])),
    })),
  );
}

/** Lets the jobs into the queue that waited for nothing but this end. */
async function settleDependents(tx: Sql, jobId: string, end: EndState): Promise<void> {
  const dependents = await markDependencies(tx, jobId, end);
  if (dependents.length === 0) return;
  await tx.$executeRaw`
    UPDATE job SET held = false WHERE id = ANY(${dependents}) AND held
      AND NOT EXISTS (SELECT FROM job_dependency d WHERE d.job_id = job.id AND d.state <> 'met')
      AND NOT EXISTS (SELECT FROM job_array a WHERE a.job_id = job.id)`;
}

/** An array runs once one of its tasks does, and ends with the last of them. */
async function followTask(tx: Sql, arrayId: string, to: JobState, at: Date): Promise<void> {
  if (to === 'running') {
    const { state } = await tx.job.findUniqueOrThrow({ where: { id: arrayId }, select: { state: true } });
    // Asked again under the lock: another first task or a cancel may have come between. Without the first look all tasks would wait for it.
    if (state !== 'queued' || (await lockJob(tx, arrayId))?.state !== 'queued') return;
    await moveArray(tx, arrayId, { to, reason: null, message: 'Its first task runs.', at, set: { startedAt: at } });
  } else if (isEnd(to)) {
    const ends = await countEnd(tx, arrayId, to);
    if (hasAllEnded(ends)) await endArray(tx, arrayId, ends, at);
  }
}

/** Gives an array whose tasks have all ended its own end. Whoever calls this holds its counts. */
export async function endArray(tx: Sql, arrayId: string, ends: TaskEnds, at: Date): Promise<void> {
  const { stopRequestedAt } = await tx.job.findUniqueOrThrow({
    where: { id: arrayId },
    select: { stopRequestedAt: true },
  });
  await moveArray(tx, arrayId, { ...endOfArray(ends, stopRequestedAt !== null), at, set: { finishedAt: at } });
}

type ArrayMove = Pick<Move<JobState>, 'to' | 'at' | 'reason' | 'message'> & { set?: Changes };

/** Moves an array straight to a state: it has no attempt that would stand in those between, and nobody is told of them. */
export async function moveArray(tx: Sql, arrayId: string, change: ArrayMove): Promise<void> {
  const job = await lockJob(tx, arrayId);
  if (job === undefined || !isForward(job.state, change.to)) return;
  await move(tx, { ...change, jobId: arrayId, from: job.state, attempt: null });
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
export async function recordEvent(
  tx: Sql,
  { jobId, at, type, attempt, from, to, reason, message }: NewEvent,
): Promise<void> {
  await tx.$queryRaw`
    WITH event AS (
      INSERT INTO job_event (job_id, at, type, attempt, "from", "to", reason, message)
      VALUES (${jobId}, ${at}, ${type}, ${attempt}, ${from}::"JobState", ${to}::"JobState", ${reason}, ${message})
      RETURNING job_id
    )
    SELECT pg_notify('weir_job', job_id)::text FROM event`;
}
