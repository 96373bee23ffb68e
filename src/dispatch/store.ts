import { newId } from '../core/ids.ts';
import { Prisma, type Sql } from '../db/database.ts';
import type { MicroUsd } from '../core/money.ts';
import { moveAll } from '../jobs/move-store.ts';
import type { JobSpec } from '../protocol/job-spec.ts';
import type { Offer, QuoteOption } from '../protocol/quote.ts';
import type { NodeLimits } from '../providers/provider.ts';
import type { Start } from './decisions.ts';

/** How far a cycle looks into the queue of one tenant, and into all of them together: as far as a cycle stays short. */
const deepest = 50;
const widest = 4_000;
const shallowest = 4;
/** So many of those behind them it looks at too, at another place each turn: no further than there, nor of all together. */
const behind = 25;
const furthest = 1_000;
const widestSearch = 10_000;

/** What a decision needs of a spec: the files and commands of jobs that wait are not read again and again. */
export type NeededSpec = Pick<JobSpec, 'resources' | 'maxCostUsd'>;

export const neededSpec = Prisma.raw(
  `jsonb_strip_nulls(jsonb_build_object('resources', spec->'resources', 'maxCostUsd', spec->'maxCostUsd')) AS spec`,
);

export type QueuedRow = {
  id: string;
  tenantId: string;
  priority: number;
  /** In its tenant's queue, from 1. */
  place: number;
  queuedAt: Date;
  notBefore: Date | null;
  spec: NeededSpec;
  options: QuoteOption[];
  /** Micro-dollars of its earlier attempts. */
  charged: number;
  hasReservation: boolean;
  /** Not among the first of its queue, which each round reads, and whether it is explained all the same. */
  isBehind: boolean;
  isExplained: boolean;
};

/**
 * From each tenant's own end of the index: what a cycle costs does not grow with the queues. Beside the first in its queue it reads some that
 * lie further back, at another place each turn: where none of the first may start, what stands behind them still has its chance. Where
 * many tenants wait it reads fewer of each, half of them first and half further back. Claimants are there wherever they stand.
 */
export async function readQueueHeads(tx: Sql, turn: number, claimants: readonly string[] = []): Promise<QueuedRow[]> {
  const tenantIds = await readWaitingTenants(tx);
  if (tenantIds.length === 0) return [];
  const length = Math.max(shallowest, Math.min(deepest, Math.floor(widest / tenantIds.length)));
  const first = length < deepest ? Math.ceil(length / 2) : deepest;
  const further = length < deepest ? length - first : behind;
  const reach = Math.max(deepest, Math.min(furthest, Math.floor(widestSearch / tenantIds.length)));
  const places = Math.max(1, Math.floor((reach - first) / Math.max(1, further)));
  const skipped = first + (turn % places) * further;
  const isBehind = Prisma.sql`place > ${first} AND NOT id = ANY(${claimants}::text[]) AS "isBehind"`;
  const columns = Prisma.sql`id, tenant_id AS "tenantId", priority, queued_at AS "queuedAt", not_before AS "notBefore", ${neededSpec}, options,
    charged_micro_usd::float8 AS charged, coalesce(waiting ? 'reserved', false) AS "hasReservation", waiting IS NOT NULL AS "isExplained",
    ${isBehind}, place`;
  return tx.$queryRaw<QueuedRow[]>`
    WITH head AS MATERIALIZED (
      SELECT j.* FROM unnest(${tenantIds}::text[]) AS tenant(id) CROSS JOIN LATERAL (
        SELECT ${columns} FROM (
          SELECT *, row_number() OVER (ORDER BY priority DESC, queued_at, id)::int AS place
          FROM job WHERE state = 'queued' AND NOT held AND tenant_id = tenant.id
          ORDER BY priority DESC, queued_at, id LIMIT ${skipped + further}
        ) line WHERE place <= ${first} OR place > ${skipped}
      ) j
    )
    SELECT * FROM head
    UNION ALL
    SELECT ${columns} FROM (
      SELECT *, (SELECT count(*)::int FROM job AS before
        WHERE before.state = 'queued' AND NOT before.held AND before.tenant_id = job.tenant_id
          AND (-before.priority, before.queued_at, before.id) <= (-job.priority, job.queued_at, job.id)) AS place
      FROM job WHERE id = ANY(${claimants}::text[]) AND state = 'queued' AND NOT held
    ) claimant WHERE NOT EXISTS (SELECT FROM head WHERE head.id = claimant.id)`;
}

/** From each to the next in the index, whatever stands between them. */
async function readWaitingTenants(tx: Sql): Promise<string[]> {
  const rows = await tx.$queryRaw<{ id: string }[]>`
    WITH RECURSIVE waiting AS (
      (SELECT tenant_id AS id FROM job WHERE state = 'queued' ORDER BY tenant_id LIMIT 1)
      UNION ALL
      SELECT (SELECT tenant_id FROM job WHERE state = 'queued' AND tenant_id > waiting.id ORDER BY tenant_id LIMIT 1)
      FROM waiting WHERE waiting.id IS NOT NULL
    )
    SELECT id FROM waiting WHERE id IS NOT NULL`;
  return rows.map(({ id }) => id);
}

/** A job that waits for nothing but room, with the option that it would run on first. */
export type LineRow = Pick<QueuedRow, 'tenantId' | 'priority' | 'place' | 'queuedAt' | 'spec'> & {
  option: QuoteOption | null;
  /** When the last cycle expected it to start. */
  eta: string | null;
};

/** The heads of all queues, of all tenants together so many as a look at them stays short. */
const longestLine = 2_000;
const deepestLine = 200;

export async function readLine(sql: Sql): Promise<LineRow[]> {
  const tenantIds = await readWaitingTenants(sql);
  if (tenantIds.length === 0) return [];
  const length = Math.max(1, Math.min(deepestLine, Math.floor(longestLine / tenantIds.length)));
  return sql.$queryRaw<LineRow[]>`
    SELECT j.*, row_number() OVER (PARTITION BY j."tenantId" ORDER BY j.priority DESC, j."queuedAt", j.id)::int AS place
    FROM unnest(${tenantIds}::text[]) AS tenant(id) CROSS JOIN LATERAL (
      SELECT id, tenant_id AS "tenantId", priority, queued_at AS "queuedAt", ${neededSpec}, options -> 0 AS option,
        waiting #>> '{eta,p50}' AS eta, waiting
      FROM job WHERE state = 'queued' AND NOT held AND tenant_id = tenant.id
      ORDER BY priority DESC, queued_at, id LIMIT ${length}
    ) j
    WHERE NOT jsonb_path_exists(coalesce(waiting, '{}'), '$.blockers[*] ? (@.code != "capacity" && @.code != "reservation")')`;
}

export type ActiveRow = {
  jobId: string;
  tenantId: string;
  attempt: number;
  spec: NeededSpec;
  /** The option of the quote that it runs on. */
  option: QuoteOption | null;
  offer: Offer;
  limits: NodeLimits;
  priority: number;
  queuedAt: Date;
  isStopping: boolean;
  startedAt: Date | null;
  createdAt: Date;
  /** Of the last checkpoint stored whole. */
  checkpointedAt: Date | null;
  /** Micro-dollars of it that are in the accounts. */
  charged: number;
  /** What the job has said of its progress, and how long its earlier attempts ran. */
  progress: unknown;
  earlierMs: number;
};

/** Everything that holds capacity: from the intent until the provider no longer shows it. */
export async function readActive(tx: Sql): Promise<ActiveRow[]> {
  return tx.$queryRaw<ActiveRow[]>`
    SELECT attempt.job_id AS "jobId", attempt.tenant_id AS "tenantId", attempt.number AS attempt, ${neededSpec}, attempt.offer, limits,
      job.priority, job.queued_at AS "queuedAt", attempt.state = 'stopping' AS "isStopping",
      attempt.started_at AS "startedAt", attempt.created_at AS "createdAt", attempt.cost_micro_usd::float8 AS charged,
      (SELECT max(artifact.created_at) FROM artifact WHERE artifact.job_id = job.id AND kind = 'checkpoint'
        AND named_at IS NOT NULL) AS "checkpointedAt",
      job.progress, coalesce((SELECT sum(extract(epoch FROM earlier.finished_at - earlier.started_at)) * 1000 FROM attempt earlier
        WHERE earlier.job_id = job.id AND earlier.finished_at IS NOT NULL), 0)::float8 AS "earlierMs",
      (SELECT option FROM jsonb_array_elements(options) AS option
        WHERE option #>> '{offer,id}' = attempt.offer ->> 'id' LIMIT 1) AS option
    FROM attempt JOIN job ON job.id = attempt.job_id
    WHERE attempt.state IN ('provisioning', 'running', 'stopping') AND attempt.finished_at IS NULL`;
}

/** What an active attempt holds of its provider. */
export type HeldRow = Pick<ActiveRow, 'offer' | 'limits'>;

export async function readHeld(sql: Sql): Promise<HeldRow[]> {
  return sql.$queryRaw<HeldRow[]>`
    SELECT offer, limits FROM attempt
    WHERE state IN ('provisioning', 'running', 'stopping') AND finished_at IS NULL`;
}

/** One cycle at a time, whichever worker it runs in. False where another is at it. */
export async function lockCycle(tx: Sql): Promise<boolean> {
  const [row] = await tx.$queryRaw<
    [{ locked: boolean }]
  >`SELECT pg_try_advisory_xact_lock(hashtext('weir dispatch')) AS locked`;
  return row.locked;
}

export type StartedAttempt = Pick<Start, 'jobId' | 'tenantId'> & {
  attempt: number;
  reservation: MicroUsd;
  provider: string;
  instanceIds: string[];
};

/**
 * The intent: jobs, attempts and instances, with the names they will have, in one transaction and a few statements, however many
 * start. Those that have left the queue are left out.
 */
export async function insertStarts(
  tx: Sql,
  starts: readonly Start[],
  at: Date,
  bootDeadline: Date,
): Promise<StartedAttempt[]> {
  const attempts = await holdStarts(tx, starts);
  const moved = await moveAll(
    tx,
    { from: 'queued', to: 'provisioning', at },
    attempts.map(({ start: { jobId, choice }, offer, number }) => ({
      jobId,
      attempt: number,
      reason: null,
      message: `Starting on ${offer.provider} in ${offer.zone ?? offer.region}.`,
      set: { attemptNumber: number, waiting: null, notBefore: null, reservedMicroUsd: choice.reservation },
    })),
  );
  const begun = attempts.filter(({ start }) => moved.has(start.jobId));
  await insertAttempts(tx, begun, at, bootDeadline);
  await insertInstances(tx, begun, at);
  return begun.map(({ start: { jobId, tenantId, choice }, number, offer, instances }) => ({
    jobId,
    tenantId,
    attempt: number,
    reservation: choice.reservation,
    provider: offer.provider,
    instanceIds: instances.map(({ id }) => id),
  }));
}

type NewAttempt = { id: string; number: number; start: Start; offer: Offer; instances: { id: string; node: number }[] };

/** Holds the rows, older jobs first as everywhere, and reads what the attempts will be. */
async function holdStarts(tx: Sql, starts: readonly Start[]): Promise<NewAttempt[]> {
  const rows = await tx.$queryRaw<{ id: string; attemptNumber: number; options: QuoteOption[] }[]>`
    SELECT id, attempt_number AS "attemptNumber", options FROM job
    WHERE id = ANY(${starts.map(({ jobId }) => jobId)}) AND state = 'queued' ORDER BY id FOR NO KEY UPDATE`;
  const known = new Map(rows.map((row) => [row.id, row]));
  return starts.flatMap((start) => {
    const row = known.get(start.jobId);
    const offer = row?.options.find(({ id }) => id === start.choice.optionId)?.offer;
    if (row === undefined || offer === undefined) return [];
    const instances = start.gpus.map((_, node) => ({ id: newId('instance'), node }));
    return [{ id: newId('attempt'), number: row.attemptNumber + 1, start, offer, instances }];
  });
}

async function insertAttempts(tx: Sql, attempts: NewAttempt[], at: Date, leaseExpiresAt: Date): Promise<void> {
  const data = attempts.map(({ id, number, offer, start: { jobId, tenantId, choice, gpus } }) => {
    const { cpus, memoryBytes, diskBytes } = choice.need;
    const limits: NodeLimits = {
      cpus,
      memoryBytes: Math.floor(memoryBytes),
      diskBytes: Math.floor(diskBytes),
      gpus,
    };
    return {
      id,
      jobId,
      tenantId,
      number,
      state: 'provisioning' as const,
      offer,
      limits,
      createdAt: at,
      leaseExpiresAt,
    };
  });
  if (data.length > 0) await tx.attempt.createMany({ data });
}

async function insertInstances(tx: Sql, attempts: NewAttempt[], at: Date): Promise<void> {
  const data = attempts.flatMap(({ id: attemptId, number, offer, instances, start: { jobId, tenantId } }) =>
    instances.map(({ id, node }) => ({
      id,
      attemptId,
      tenantId,
      node,
      provider: offer.provider,
      zone: offer.zone ?? offer.region,
      name: `weir-${jobId.split('_')[1]}-${number}-${node}`,
      state: 'requested' as const,
      requestedAt: at,
    })),
  );
  if (data.length > 0) await tx.instance.createMany({ data });
}
