import type { MicroUsd } from '../core/money.ts';
import type { Sql } from '../db/database.ts';
import { activeStates } from '../jobs/state.ts';
import type { JobState } from '../protocol/job.ts';
import type { JobSpec } from '../protocol/job-spec.ts';
import type { Offer, QuoteOption } from '../protocol/quote.ts';
import type { Report } from '../protocol/runner.ts';
import type { Percentiles } from '../quotes/interval.ts';

export type MachineRow = {
  id: string;
  node: number;
  provider: string;
  zone: string;
  name: string;
  state: 'requested' | 'booting' | 'ready' | 'gone';
  reported: Report | null;
  requestedAt: Date;
  createdAt: Date | null;
  heartbeatAt: Date | null;
  goneAt: Date | null;
};

/** An attempt as its end needs it, with its machines in the order of their nodes. */
export type AttemptRow = {
  id: string;
  jobId: string;
  tenantId: string;
  number: number;
  reason: string | null;
  message: string | null;
  exitCode: number | null;
  offer: Offer;
  startedAt: Date | null;
  stoppingAt: Date | null;
  finishedAt: Date | null;
  costMicroUsd: MicroUsd;
  preemptedFor: string | null;
  job: {
    state: JobState;
    failedAttempts: number;
    options: QuoteOption[];
    retries: JobSpec['retries'] | null;
    isStopRequested: boolean;
  };
  instances: MachineRow[];
};

/** In one round trip; files that the spec brings are not read. */
export async function findAttempt(sql: Sql, attemptId: string): Promise<AttemptRow | undefined> {
  const rows = await sql.$queryRaw<(MachineRow & { attempt: Written<AttemptRow> })[]>`
    SELECT instance.id, node, provider, zone, instance.name, instance.state::text, reported, requested_at AS "requestedAt",
      instance.created_at AS "createdAt", heartbeat_at AS "heartbeatAt", gone_at AS "goneAt", jsonb_build_object('id', attempt.id, 'jobId', job_id,
        'tenantId', attempt.tenant_id, 'number', number, 'reason', attempt.reason, 'message', attempt.message,
        'exitCode', exit_code, 'offer', offer, 'startedAt', attempt.started_at, 'stoppingAt', stopping_at,
        'finishedAt', attempt.finished_at, 'costMicroUsd', cost_micro_usd, 'preemptedFor', preempted_for,
        'job', jsonb_build_object('state', job.state, 'failedAttempts', failed_attempts, 'options', options,
          'retries', spec -> 'retries', 'isStopRequested', stop_requested_at IS NOT NULL)) AS attempt
    FROM attempt JOIN job ON job.id = job_id JOIN instance ON attempt_id = attempt.id
    WHERE attempt.id = ${attemptId} ORDER BY node`;
  const [first] = rows;
  if (first === undefined) return undefined;
  const { startedAt, stoppingAt, finishedAt, ...attempt } = first.attempt;
  return {
    ...attempt,
    startedAt: toDate(startedAt),
    stoppingAt: toDate(stoppingAt),
    finishedAt: toDate(finishedAt),
    instances: rows.map(({ attempt: _attempt, ...machine }) => machine),
  };
}

/** In JSON a time is a text. */
type Written<Row> = { [Field in keyof Row]: Row[Field] extends Date | null ? string | null : Row[Field] };

function toDate(text: string | null): Date | null {
  return text === null ? null : new Date(text);
}

/** What the sweep has to look at: every attempt that has not ended. Of the specs, which may hold files, only the limits. */
export async function listActiveAttempts(sql: Sql): Promise<ActiveAttempt[]> {
  return readActive(sql, {});
}

/** One of them; in a transaction that holds its job's row it stays so. */
export async function findActiveAttempt(sql: Sql, id: string): Promise<ActiveAttempt | undefined> {
  const [attempt] = await readActive(sql, { id });
  return attempt;
}

async function readActive(sql: Sql, which: { id?: string }) {
  const attempts = await sql.attempt.findMany({
    where: { ...which, state: { in: [...activeStates] }, finishedAt: null },
    omit: { costMicroUsd: true },
    include: { instances: { omit: { host: true, sample: true }, orderBy: { node: 'asc' } } },
    orderBy: { id: 'asc' },
  });
  const ofJobs = await readOfJobs(
    sql,
    attempts.map(({ id }) => id),
  );
  return attempts.flatMap(({ offer, ...attempt }) => {
    const ofJob = ofJobs.get(attempt.id);
    return ofJob === undefined ? [] : { ...attempt, ...ofJob, offer: offer as unknown as Offer };
  });
}

/** What is known of an attempt by its job's row. */
type OfJob = {
  /** In one statement, since the one is a part of the other: what the job was charged, and what of it this attempt was. */
  chargedMicroUsd: MicroUsd;
  costMicroUsd: MicroUsd;
  reservedMicroUsd: MicroUsd;
  announced: string[];
  progress: unknown;
  spec: Pick<JobSpec, 'maxDuration' | 'maxCostUsd'>;
  /** How long it was quoted to run here, and how long its earlier attempts ran. */
  quoted: Percentiles | null;
  earlierMs: number;
};

async function readOfJobs(sql: Sql, attemptIds: string[]): Promise<Map<string, OfJob>> {
  const rows = await sql.$queryRaw<(OfJob & { id: string })[]>`
    SELECT attempt.id, charged_micro_usd::float8 AS "chargedMicroUsd", cost_micro_usd::float8 AS "costMicroUsd",
      reserved_micro_usd::float8 AS "reservedMicroUsd", announced, progress,
      jsonb_strip_nulls(jsonb_build_object('maxDuration', spec->'maxDuration', 'maxCostUsd', spec->'maxCostUsd')) AS spec,
      (SELECT option -> 'durationSeconds' FROM jsonb_array_elements(options) AS option
        WHERE option #>> '{offer,id}' = attempt.offer ->> 'id' LIMIT 1) AS quoted,
      coalesce((SELECT sum(extract(epoch FROM earlier.finished_at - earlier.started_at)) * 1000 FROM attempt earlier
        WHERE earlier.job_id = job.id AND earlier.finished_at IS NOT NULL), 0)::float8 AS "earlierMs"
    FROM attempt JOIN job ON job.id = attempt.job_id WHERE attempt.id = ANY(${attemptIds})`;
  return new Map(rows.map(({ id, ...ofJob }) => [id, ofJob]));
}

export type ActiveAttempt = Awaited<ReturnType<typeof readActive>>[number];
