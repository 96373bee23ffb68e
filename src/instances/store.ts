import type { Database, Sql } from '../db/database.ts';
import type { JobSpec } from '../protocol/job-spec.ts';
import type { JobState } from '../protocol/job.ts';
import type { Offer, QuoteOption } from '../protocol/quote.ts';
import type { Claim, Rendezvous, Report } from '../protocol/runner.ts';
import type { NodeLimits } from '../providers/provider.ts';
import type { Track } from '../quotes/progress.ts';

/** A machine, with what of its attempt and its job it is started with. */
export type InstanceRow = {
  id: string;
  attemptId: string;
  tenantId: string;
  node: number;
  provider: string;
  zone: string;
  name: string;
  state: 'requested' | 'booting' | 'ready' | 'gone';
  requestedAt: Date;
  createdAt: Date | null;
  readyAt: Date | null;
  attempt: {
    jobId: string;
    number: number;
    state: JobState;
    offer: Offer;
    limits: NodeLimits;
    /** All of its machines, in the order of their nodes. */
    instanceIds: string[];
    /** What the job may run on. */
    options: QuoteOption[];
    /** A task's has only what the broker decides by: the rest is with its array. */
    spec: JobSpec;
    jobName: string;
    arrayId: string | null;
    arrayIndex: number | null;
  };
};

export async function findInstance(db: Database, id: string): Promise<InstanceRow | undefined> {
  const { rows } = await db.pool.query<InstanceRow>({
    name: 'find-instance',
    text: `
      SELECT instance.id, attempt_id AS "attemptId", instance.tenant_id AS "tenantId", node, provider, zone, instance.name,
        instance.state::text, requested_at AS "requestedAt",
        instance.created_at AS "createdAt", ready_at AS "readyAt",
        jsonb_build_object('jobId', job.id, 'number', number, 'state', attempt.state, 'offer', offer,
          'limits', limits, 'options', options, 'spec', spec,
          'instanceIds', (SELECT jsonb_agg(gang.id ORDER BY gang.node) FROM instance AS gang WHERE gang.attempt_id = attempt.id),
          'jobName', job.name, 'arrayId', array_id, 'arrayIndex', array_index) AS attempt
      FROM instance JOIN attempt ON attempt.id = attempt_id JOIN job ON job.id = job_id WHERE instance.id = $1`,
    values: [id],
  });
  return rows[0];
}

export type Speaker = {
  instance: { id: string; name: string; node: number };
  attempt: { id: string; number: number };
  job: { id: string; tenantId: string };
  /** Its attempt is the job's last one and has not ended, and the machine is not gone. */
  isCurrent: boolean;
};

/** The machine whose runner has the token of this hash: each call of a runner asks. */
export async function findSpeaker(db: Database, tokenHash: string): Promise<Speaker | undefined> {
  const { rows } = await db.pool.query<Speaker>({
    name: 'find-speaker',
    text: `
      SELECT jsonb_build_object('id', instance.id, 'name', instance.name, 'node', node) AS instance,
        jsonb_build_object('id', attempt.id, 'number', number) AS attempt,
        jsonb_build_object('id', job.id, 'tenantId', job.tenant_id) AS job,
        attempt_number = number AND attempt.finished_at IS NULL AND instance.state <> 'gone' AS "isCurrent"
      FROM instance JOIN attempt ON attempt.id = attempt_id JOIN job ON job.id = job_id WHERE token_hash = $1`,
    values: [tokenHash],
  });
  return rows[0];
}

/** Its provider is asked for it now: from the first time on it has its time to come up. */
export async function markAsked({ pool }: Database, id: string, at: Date): Promise<void> {
  const text = 'UPDATE instance SET asked_at = $2 WHERE id = $1 AND asked_at IS NULL';
  await pool.query({ name: 'mark-asked', text, values: [id, at] });
}

/** The provider took the request, and has it paid since then. False where the attempt was given up meanwhile. */
export async function markBooting(
  db: Database,
  instance: InstanceRow,
  { at, since }: { at: Date; since: Date },
): Promise<boolean> {
  const { id, name, zone, attempt } = instance;
  const { rows } = await db.pool.query<{ isWanted: boolean }>({
    name: 'mark-booting',
    text: `
      WITH living AS MATERIALIZED (
        SELECT id, created_at IS NULL AS is_new FROM instance WHERE id = $1 AND state <> 'gone' FOR NO KEY UPDATE
      ), booting AS (
        UPDATE instance SET created_at = $6, state = CASE WHEN state = 'requested' THEN 'booting' ELSE state END
        FROM living WHERE instance.id = living.id AND is_new
        RETURNING instance.id
      ), event AS (
        INSERT INTO job_event (job_id, at, type, attempt, message)
        SELECT $3, $2, 'instance.booting', $4, $5 FROM booting
        RETURNING pg_notify('weir_job', job_id)
      )
      SELECT EXISTS (SELECT FROM living) AS "isWanted"`,
    values: [id, at, attempt.jobId, attempt.number, `${name} is being started in ${zone}.`, since],
  });
  return rows[0]?.isWanted ?? false;
}

type Claimed = { tokenHash: string; claim: Claim; at: Date; leaseExpiresAt: Date };

/** Spends the bootstrap token: the first runner to come owns the instance, and only it may come again. */
export async function markReady(
  tx: Sql,
  instance: InstanceRow,
  { tokenHash, claim, at, leaseExpiresAt }: Claimed,
): Promise<boolean> {
  const { address, port, host } = claim;
  const count = await tx.$executeRaw`
    WITH claimed AS (
      UPDATE instance SET token_hash = ${tokenHash}, state = 'ready', address = ${address}, port = ${port}, host = ${JSON.stringify(host)}::jsonb,
        heartbeat_at = ${at}, ready_at = coalesce(ready_at, ${at}), created_at = coalesce(created_at, ${at})
      WHERE id = ${instance.id} AND state <> 'gone' AND (token_hash IS NULL OR token_hash = ${tokenHash})
      RETURNING attempt_id
    )
    UPDATE attempt SET lease_expires_at = ${leaseExpiresAt} FROM claimed WHERE attempt.id = attempt_id`;
  return count === 1;
}

export async function markRunning(tx: Sql, attemptId: string, at: Date): Promise<void> {
  await tx.$executeRaw`UPDATE attempt SET state = 'running', started_at = ${at} WHERE id = ${attemptId}`;
}

/** The gang's addresses, once every node has claimed. */
export async function readRendezvous(sql: Sql, attemptId: string): Promise<Rendezvous | null> {
  const instances = await sql.$queryRaw<{ address: string | null; port: number | null }[]>`
    SELECT address, port FROM instance WHERE attempt_id = ${attemptId} ORDER BY node`;
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
  const living = await tx.$queryRaw<unknown[]>`
    UPDATE instance SET reported = coalesce(reported, ${JSON.stringify(report)}::jsonb)
    WHERE id = ${instanceId} AND state <> 'gone' RETURNING id`;
  return living.length === 1;
}

/** It keeps the hash of its token, so that its runner is told that the attempt is over. */
export async function markGone(sql: Sql, instanceId: string, at: Date): Promise<void> {
  await sql.$executeRaw`
    UPDATE instance SET state = 'gone', gone_at = ${at} WHERE id = ${instanceId} AND state <> 'gone'`;
}

/** Of each node in order; null where it has not reported. */
export async function readReports(sql: Sql, attemptId: string): Promise<(Report | null)[]> {
  const rows = await sql.$queryRaw<{ reported: Report | null }[]>`
    SELECT reported FROM instance WHERE attempt_id = ${attemptId} ORDER BY node`;
  return rows.map(({ reported }) => reported);
}

/** Of each provider that has any of ours, or was asked for one. */
export async function countMachines(sql: Sql): Promise<{ provider: string; count: number }[]> {
  const rows = await sql.instance.groupBy({ by: ['provider'], where: { state: { not: 'gone' } }, _count: true });
  return rows.map(({ provider, _count: count }) => ({ provider, count }));
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

type Host = { provider: string; host: string; silentMs: number; leaseMs: number };

/** This host is there, and is the one: it was already, or the one before was not there for so long, and none of its jobs was heard. */
export async function holdHost(db: Database, { provider, host, silentMs, leaseMs }: Host): Promise<boolean> {
  const { rows } = await db.pool.query({
    name: 'hold-host',
    text: `
      INSERT INTO setting (name, value) VALUES ('host of ' || $1, jsonb_build_object('id', $2::text, 'at', now()))
      ON CONFLICT (name) DO UPDATE SET value = excluded.value
      WHERE setting.value ->> 'id' = $2 OR (
        (setting.value ->> 'at')::timestamptz < now() - $3 * interval '1 ms' AND NOT EXISTS (
          SELECT FROM instance
          WHERE provider = $1 AND state <> 'gone' AND heartbeat_at > now() - $4 * interval '1 ms'))
      RETURNING name`,
    values: [provider, host, silentMs, leaseMs],
  });
  return rows.length === 1;
}
