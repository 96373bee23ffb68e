import { Prisma, type Database, type Sql } from '../db/database.ts';
import { activeStates } from '../jobs/state.ts';
import { recordEvent } from '../jobs/store.ts';
import type { JobSpec } from '../protocol/job-spec.ts';
import type { Claim, Rendezvous, Report } from '../protocol/runner.ts';
import type { Percentiles } from '../quotes/interval.ts';
import type { Track } from '../quotes/progress.ts';

const withAttempt = {
  attempt: { include: { job: true, instances: { orderBy: { node: 'asc' }, select: { id: true } } } },
} as const satisfies Prisma.InstanceInclude;

export async function findInstance(sql: Sql, id: string) {
  return sql.instance.findUnique({ where: { id }, include: withAttempt });
}

export type InstanceRow = NonNullable<Awaited<ReturnType<typeof findInstance>>>;

export async function findAttempt(sql: Sql, attemptId: string) {
  return sql.attempt.findUnique({
    where: { id: attemptId },
    include: { job: true, instances: { orderBy: { node: 'asc' } } },
  });
}

export type AttemptRow = NonNullable<Awaited<ReturnType<typeof findAttempt>>>;

/** The provider took the request, and has it paid since then. False where the attempt was given up meanwhile. */
export async function markBooting(
  db: Database,
  instance: InstanceRow,
  { at, since }: { at: Date; since: Date },
): Promise<boolean> {
  return db.transaction(async (tx) => {
    const { count } = await tx.instance.updateMany({
      where: { id: instance.id, state: { not: 'gone' }, createdAt: null },
      data: { createdAt: since },
    });
    if (count === 0) return (await tx.instance.count({ where: { id: instance.id, state: { not: 'gone' } } })) > 0;
    await tx.instance.updateMany({ where: { id: instance.id, state: 'requested' }, data: { state: 'booting' } });
    const { attempt, name, zone } = instance;
    const message = `${name} is being started in ${zone}.`;
    await recordEvent(tx, {
      jobId: attempt.jobId,
      at,
      type: 'instance.booting',
      attempt: attempt.number,
      from: null,
      to: null,
      reason: null,
      message,
    });
    return true;
  });
}

type Claimed = { tokenHash: string; claim: Claim; at: Date; leaseExpiresAt: Date };

/** Spends the bootstrap token: the first runner to come owns the instance, and only it may come again. */
export async function markReady(
  tx: Sql,
  instance: InstanceRow,
  { tokenHash, claim, at, leaseExpiresAt }: Claimed,
): Promise<boolean> {
  const { count } = await tx.instance.updateMany({
    where: { id: instance.id, state: { not: 'gone' }, OR: [{ tokenHash: null }, { tokenHash }] },
    data: {
      tokenHash,
      state: 'ready',
      address: claim.address,
      port: claim.port,
      host: claim.host,
      readyAt: instance.readyAt ?? at,
      createdAt: instance.createdAt ?? at,
      heartbeatAt: at,
    },
  });
  if (count === 0) return false;
  await tx.attempt.update({ where: { id: instance.attemptId }, data: { leaseExpiresAt } });
  return true;
}

/** The gang's addresses, once every node has claimed. */
export async function readRendezvous(sql: Sql, attemptId: string): Promise<Rendezvous | null> {
  const instances = await sql.instance.findMany({
    where: { attemptId },
    orderBy: { node: 'asc' },
    select: { address: true, port: true },
  });
  const ready = instances.flatMap(({ address, port }) =>
    address === null || port === null ? [] : [{ address, port }],
  );
  return ready.length === instances.length ? ready : null;
}

export type Beat = {
  instanceId: string;
  attemptId: string;
  attempt: number;
  jobId: string;
  at: Date;
  leaseExpiresAt: Date;
  sample: object | undefined;
};

/** What the job's row says, and what was known of its progress. */
export type Beaten = { state: string; reason: string | null; progress: unknown };

/**
 * One round trip: the lease and the sample; answers the job's state, and nothing where the attempt is over. The job's row is
 * locked first, as everywhere, then that of the attempt, then that of the machine.
 */
export async function recordHeartbeat(db: Database, beat: Beat): Promise<Beaten | undefined> {
  const { rows } = await db.pool.query<Beaten>({
    name: 'heartbeat',
    text: `
      WITH current AS MATERIALIZED (
        SELECT job.id, state, reason, progress FROM job
        WHERE id = $6 AND attempt_number = $7 AND state IN ('provisioning', 'running', 'stopping') FOR NO KEY UPDATE
      ), lease AS (
        UPDATE attempt SET lease_expires_at = $5 FROM current WHERE attempt.id = $4 RETURNING attempt.id
      ), beat AS (
        UPDATE instance SET heartbeat_at = $2, sample = coalesce($3::jsonb, sample) FROM lease
        WHERE instance.id = $1 AND instance.state <> 'gone'
      )
      SELECT state, reason, progress FROM current`,
    values: [
      beat.instanceId,
      beat.at,
      toJson(beat.sample),
      beat.attemptId,
      beat.leaseExpiresAt,
      beat.jobId,
      beat.attempt,
    ],
  });
  return rows[0];
}

/** What the job has said of itself, as long as this attempt is the one. */
export async function recordProgress(db: Database, { jobId, attempt }: Pick<Beat, 'jobId' | 'attempt'>, track: Track) {
  await db.pool.query({
    name: 'progress',
    text: `UPDATE job SET progress = $3 WHERE id = $1 AND attempt_number = $2 AND state IN ('provisioning', 'running', 'stopping')`,
    values: [jobId, attempt, JSON.stringify(track)],
  });
}

function toJson(value: object | undefined): string | null {
  return value === undefined ? null : JSON.stringify(value);
}

/** Keeps a node's report; the first one stays. False where the machine is gone, so that nobody may speak for it. */
export async function recordReport(tx: Sql, instanceId: string, report: Report): Promise<boolean> {
  const living = { id: instanceId, state: { not: 'gone' } } as const;
  const { count } = await tx.instance.updateMany({
    where: { ...living, reported: { equals: Prisma.DbNull } },
    data: { reported: report },
  });
  return count === 1 || (await tx.instance.count({ where: living })) === 1;
}

/** It keeps the hash of its token, so that its runner is told that the attempt is over. */
export async function markGone(sql: Sql, instanceId: string, at: Date): Promise<void> {
  await sql.instance.updateMany({
    where: { id: instanceId, state: { not: 'gone' } },
    data: { state: 'gone', goneAt: at },
  });
}

/** What the sweep has to look at: every attempt that has not ended. Of the specs, which may hold files, only the limits. */
export async function listActiveAttempts(sql: Sql) {
  const attempts = await sql.attempt.findMany({
    where: { state: { in: [...activeStates] }, finishedAt: null },
    include: {
      job: { select: { chargedMicroUsd: true, reservedMicroUsd: true, announced: true, progress: true } },
      instances: { omit: { host: true, sample: true } },
    },
  });
  const expected = await readExpected(
    sql,
    attempts.map(({ id }) => id),
  );
  return attempts.map((attempt) => ({ ...attempt, ...(expected.get(attempt.id) ?? nothingExpected) }));
}

/** Of a job that is under way: its limits, how long it was quoted to run here, and how long its earlier attempts ran. */
type Expected = {
  spec: Pick<JobSpec, 'maxDuration' | 'maxCostUsd'>;
  quoted: Percentiles | null;
  earlierMs: number;
};
const nothingExpected: Expected = { spec: {}, quoted: null, earlierMs: 0 };

async function readExpected(sql: Sql, attemptIds: string[]): Promise<Map<string, Expected>> {
  const rows = await sql.$queryRaw<(Expected & { id: string })[]>`
    SELECT attempt.id,
      jsonb_strip_nulls(jsonb_build_object('maxDuration', spec->'maxDuration', 'maxCostUsd', spec->'maxCostUsd')) AS spec,
      (SELECT option -> 'durationSeconds' FROM jsonb_array_elements(options) AS option
        WHERE option #>> '{offer,id}' = attempt.offer ->> 'id' LIMIT 1) AS quoted,
      coalesce((SELECT sum(extract(epoch FROM earlier.finished_at - earlier.started_at)) * 1000 FROM attempt earlier
        WHERE earlier.job_id = job.id AND earlier.finished_at IS NOT NULL), 0)::float8 AS "earlierMs"
    FROM attempt JOIN job ON job.id = attempt.job_id WHERE attempt.id = ANY(${attemptIds})`;
  return new Map(rows.map(({ id, ...expected }) => [id, expected]));
}

export type ActiveAttempt = Awaited<ReturnType<typeof listActiveAttempts>>[number];

/** Of each node in order; null where it has not reported. */
export async function readReports(sql: Sql, attemptId: string): Promise<(Report | null)[]> {
  const rows = await sql.instance.findMany({
    where: { attemptId },
    orderBy: { node: 'asc' },
    select: { reported: true },
  });
  return rows.map(({ reported }) => reported as unknown as Report | null);
}

/** How often the job lost a spot machine, this time too; making way for another job is none. */
export async function countEvictions(sql: Sql, jobId: string): Promise<number> {
  return sql.attempt.count({
    where: { jobId, reason: 'preemption', preemptedFor: null, offer: { path: ['market'], equals: 'spot' } },
  });
}

/** Of these names those that no living row has. */
export async function listUnwanted(sql: Sql, names: string[]): Promise<Set<string>> {
  if (names.length === 0) return new Set();
  const wanted = await sql.instance.findMany({
    where: { name: { in: names }, state: { not: 'gone' } },
    select: { name: true },
  });
  const wantedNames = new Set(wanted.map(({ name }) => name));
  return new Set(names.filter((name) => !wantedNames.has(name)));
}
