import type { MicroUsd } from '../core/money.ts';
import { Prisma, type Sql } from '../db/database.ts';
import type { Window } from './window.ts';

/** What an instance's time has been accounted for. */
export type Accounted = {
  /** Until when; null where nothing was. */
  to: Date | null;
  microUsd: MicroUsd;
  /** Something was refunded: nothing is added any more. */
  isClosed: boolean;
};

export async function readAccounted(sql: Sql, instanceId: string): Promise<Accounted> {
  const [row] = await sql.$queryRaw<[Accounted]>`
    SELECT max("to") AS "to", coalesce(sum(micro_usd), 0)::float8 AS "microUsd", coalesce(bool_or("from" = "to"), false) AS "isClosed"
    FROM usage_entry WHERE instance_id = ${instanceId}`;
  return row;
}

export type NewUse = Omit<Prisma.UsageEntryCreateManyInput, 'id'>;

export async function insertUse(tx: Sql, rows: NewUse[]): Promise<void> {
  await tx.usageEntry.createMany({ data: rows });
}

type InstanceUse = Pick<NewUse, 'instanceId' | 'provider' | 'region' | 'kind'> & { microUsd: MicroUsd };

/** What each instance of an attempt was charged, refunds taken off. */
export async function readAttemptUse(sql: Sql, jobId: string, attempt: number): Promise<InstanceUse[]> {
  return sql.$queryRaw`
    SELECT i.id AS "instanceId", u.provider, u.region, u.kind, sum(u.micro_usd)::float8 AS "microUsd"
    FROM attempt a JOIN instance i ON i.attempt_id = a.id JOIN usage_entry u ON u.instance_id = i.id
    WHERE a.job_id = ${jobId} AND a.number = ${attempt}
    GROUP BY i.id, u.provider, u.region, u.kind ORDER BY i.node`;
}

/** Petaflops of one accelerator of each kind: what the rows of running machines lack. */
export type Rates = Record<string, number>;

const unfinished = Prisma.sql`a.finished_at IS NULL AND a.state IN ('provisioning', 'running', 'stopping')`;

export async function readRunningKinds(sql: Sql): Promise<string[]> {
  const rows = await sql.$queryRaw<{ kind: string }[]>`
    SELECT DISTINCT a.offer #>> '{accelerators,kind}' AS kind FROM attempt a WHERE ${unfinished}`;
  return rows.map(({ kind }) => kind);
}

export type Scope = Window & { now: Date; rates: Rates; tenantId: string | null };

/**
 * Stretches of machine time that touch the window: those in the accounts, and of machines that still run what is not in the
 * accounts yet, up to now.
 */
function stretches({ from, to, now, rates, tenantId }: Scope): Prisma.Sql {
  const ofTenant = (table: string) =>
    tenantId === null ? Prisma.empty : Prisma.sql`AND ${Prisma.raw(table)}.tenant_id = ${tenantId}`;
  return Prisma.sql`
    SELECT u.tenant_id, u."from", u."to", u.accelerator_seconds, u.petaflop_seconds, u.micro_usd::float8 AS micro_usd
    FROM usage_entry u WHERE u."to" >= ${from} AND u."from" < ${to} ${ofTenant('u')}
    UNION ALL
    SELECT tenant_id, since, until, seconds * accelerators, seconds * accelerators * petaflops, seconds * hourly_usd * 1e6 / 3600
    FROM (
      SELECT i.tenant_id, since, until, extract(epoch FROM until - since)::float8 AS seconds,
        (a.offer #>> '{accelerators,count}')::float8 AS accelerators,
        coalesce((${JSON.stringify(rates)}::jsonb ->> (a.offer #>> '{accelerators,kind}'))::float8, 0) AS petaflops,
        (a.offer ->> 'hourlyUsd')::float8 / (a.offer ->> 'nodes')::float8 AS hourly_usd
      FROM attempt a JOIN instance i ON i.attempt_id = a.id
      CROSS JOIN LATERAL (
        SELECT coalesce((SELECT max(u."to") FROM usage_entry u WHERE u.instance_id = i.id), i.created_at) AS since,
          coalesce(i.gone_at, ${now}::timestamptz) AS until
      ) span
      WHERE ${unfinished} AND i.created_at IS NOT NULL AND until > since ${ofTenant('i')}
    ) running
    WHERE until >= ${from} AND since < ${to}`;
}

/** The part of a stretch that lies between two moments. A refund is a stretch without length: it counts where it lies. */
function portion(from: Prisma.Sql, to: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`
    CASE WHEN s."to" = s."from" THEN 1
    ELSE (extract(epoch FROM least(s."to", ${to}) - greatest(s."from", ${from})) / extract(epoch FROM s."to" - s."from"))::float8 END`;
}

const amounts = (share: Prisma.Sql) => Prisma.sql`
  coalesce(sum(s.accelerator_seconds * ${share}), 0)::float8 AS "acceleratorSeconds",
  coalesce(sum(s.petaflop_seconds * ${share}), 0)::float8 AS "petaflopSeconds",
  coalesce(sum(s.micro_usd * ${share}), 0)::float8 AS "microUsd"`;

export type Use = { acceleratorSeconds: number; petaflopSeconds: number; microUsd: number };

export type TenantUse = Use & { id: string; name: string };

/** Every tenant there is, those who used nothing included; who used most first. */
export async function readUseByTenant(sql: Sql, scope: Scope): Promise<TenantUse[]> {
  const share = portion(Prisma.sql`${scope.from}::timestamptz`, Prisma.sql`${scope.to}::timestamptz`);
  return sql.$queryRaw`
    SELECT t.id, t.name, coalesce(u."acceleratorSeconds", 0) AS "acceleratorSeconds",
      coalesce(u."petaflopSeconds", 0) AS "petaflopSeconds", coalesce(u."microUsd", 0) AS "microUsd"
    FROM tenant t
    LEFT JOIN (SELECT s.tenant_id, ${amounts(share)} FROM (${stretches(scope)}) s GROUP BY s.tenant_id) u ON u.tenant_id = t.id
    ORDER BY "petaflopSeconds" DESC, t.id`;
}

/** Of each bucket in order, those without use included. */
export async function readUseByBucket(
  sql: Sql,
  scope: Scope,
  starts: Date[],
  lengthMs: number,
): Promise<(Use & { from: Date })[]> {
  const share = portion(Prisma.sql`b.start`, Prisma.sql`b.stop`);
  return sql.$queryRaw`
    SELECT b.start AS "from", ${amounts(share)}
    FROM (SELECT start, start + ${lengthMs}::float8 * interval '1 millisecond' AS stop FROM unnest(${starts}::timestamptz[]) AS start) b
    LEFT JOIN (${stretches(scope)}) s ON s."to" >= b.start AND s."from" < b.stop
    GROUP BY b.start ORDER BY b.start`;
}

/** Since when there can be use. */
export async function readBeginning(sql: Sql): Promise<Date | null> {
  const { _min } = await sql.tenant.aggregate({ _min: { createdAt: true } });
  return _min.createdAt;
}

/** Beyond so many half-lives nothing is left that would change an order. */
const halfLivesKept = 20;

export async function readDecayedUse(
  sql: Sql,
  halfLifeMs: number,
  now: Date,
): Promise<{ tenantId: string; petaflopSeconds: number }[]> {
  const since = new Date(now.getTime() - halfLivesKept * halfLifeMs);
  return sql.$queryRaw`
    SELECT tenant_id AS "tenantId",
      sum(petaflop_seconds * power(0.5, greatest(0, extract(epoch FROM ${now}::timestamptz - "to")::float8) * 1000 / ${halfLifeMs}::float8)) AS "petaflopSeconds"
    FROM usage_entry WHERE "to" > ${since} GROUP BY tenant_id`;
}

export async function readUseSince(sql: Sql, from: Date): Promise<{ tenantId: string; petaflopSeconds: number }[]> {
  const share = portion(Prisma.sql`${from}::timestamptz`, Prisma.sql`s."to"`);
  return sql.$queryRaw`
    SELECT s.tenant_id AS "tenantId", sum(s.petaflop_seconds * ${share}) AS "petaflopSeconds"
    FROM usage_entry s WHERE s."to" > ${from} GROUP BY s.tenant_id`;
}
