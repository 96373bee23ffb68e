import { dayMs, hourMs } from '../core/time.ts';
import { Prisma, type Sql } from '../db/database.ts';
import { bucketMs, coverOf, type Bucket, type Run, type Window } from './window.ts';

/** Along what use is told apart: not at all, by a column of the entries, or by a label of the jobs. */
export type Dimension = 'all' | 'kind' | 'provider' | 'region' | `label:${string}`;

/** Petaflops of one accelerator of each kind: what the rows of running machines lack. */
export type Rates = Record<string, number>;

export type Scope = Window & {
  /** Whose; null for everyone's. */
  tenantIds: readonly string[] | null;
  /** What runs counts up to `now`, though it is not in the accounts yet. Undefined: it does not count. */
  live: { now: Date; rates: Rates } | undefined;
};

export type Use = { acceleratorSeconds: number; petaflopSeconds: number; microUsd: number };

/** `value` is that of the dimension, empty for `all`. What has no such label is in no row. */
export type UseRow = Use & { tenantId: string; value: string };

const unfinished = Prisma.sql`a.finished_at IS NULL AND a.state IN ('provisioning', 'running', 'stopping')`;

/** `endOfUse` of the rows of an attempt and of one of its machines. */
export function endOfUseIn(now: Date): Prisma.Sql {
  return Prisma.sql`
    least(coalesce(gone_at, ${now}::timestamptz), CASE WHEN stopping_at IS NOT NULL THEN greatest(stopping_at, heartbeat_at) END)`;
}

/** The kinds of machines that run now. */
export async function readRunningKinds(sql: Sql): Promise<string[]> {
  const rows = await sql.$queryRaw<{ kind: string }[]>`
    SELECT DISTINCT a.offer #>> '{accelerators,kind}' AS kind FROM attempt a WHERE ${unfinished}`;
  return rows.map(({ kind }) => kind);
}

/** Of each tenant that used anything, by the values of the dimension; who used most first. */
export async function readUse(sql: Sql, scope: Scope, dimension: Dimension): Promise<UseRow[]> {
  const { edge, runs } = coverOf(scope);
  const bounds = { from: Prisma.sql`${scope.from}::timestamptz`, to: Prisma.sql`${scope.to}::timestamptz` };
  const stretches = [
    ...(edge === undefined ? [] : [entriesIn(edge)]),
    pendingSince(edge?.to ?? scope.from),
    ...(scope.live === undefined ? [] : [running(scope.live)]),
  ];
  const parts = [
    ...runs.map((run) => Prisma.sql`SELECT ${rolledUp(run, scope, dimension)}`),
    ...stretches.map(
      (rows) => Prisma.sql`
        SELECT ${shared(dimension)} FROM (
          SELECT s.*, ${partWithin(bounds)} AS part FROM (${rows}) s
          WHERE (s."to" > ${scope.from} OR s."from" >= ${scope.from}) AND s."from" < ${scope.to} ${andTenants('s', scope)}
          OFFSET 0
        ) s`,
    ),
  ];
  return sql.$queryRaw<UseRow[]>`
    SELECT tenant_id AS "tenantId", value, ${sums} FROM (${Prisma.join(parts, ' UNION ALL ')}) part
    WHERE value IS NOT NULL GROUP BY tenant_id, value ORDER BY "petaflopSeconds" DESC, tenant_id, value`;
}

/** Petaflop-seconds that these tenants used since a moment, by the hour, together. */
export async function readUseByHour(
  sql: Sql,
  tenantIds: string[],
  since: Date,
): Promise<{ start: Date; petaflopSeconds: number }[]> {
  const { edge } = coverOf({ from: since, to: since });
  const firstHour = edge?.to ?? since;
  const bounds = { from: Prisma.sql`${since}::timestamptz`, to: Prisma.sql`'infinity'::timestamptz` };
  const stretches = [...(edge === undefined ? [] : [entriesIn(edge)]), pendingSince(firstHour)];
  return sql.$queryRaw`
    SELECT start, sum(petaflop_seconds)::float8 AS "petaflopSeconds" FROM (
      SELECT r.start, r.petaflop_seconds FROM use_rollup r
      WHERE r.dimension = 'all' AND r.grain = 'hour' AND r.start >= ${firstHour} AND r.tenant_id = ANY(${tenantIds})
      UNION ALL
      SELECT date_trunc('hour', s."from", 'UTC'), s.petaflop_seconds * ${partWithin(bounds)}
      FROM (${Prisma.join(stretches, ' UNION ALL ')}) s WHERE s.tenant_id = ANY(${tenantIds})
    ) part GROUP BY start ORDER BY start`;
}

export type BucketScope = Scope & { dimension: Dimension; bucket: Bucket };

/** Of each bucket that has any. Buckets are whole: the first is the one that the window begins in. */
export async function readUseByBucket(sql: Sql, scope: BucketScope): Promise<(Use & { start: Date })[]> {
  return sql.$queryRaw`SELECT start, ${sums} FROM (${byBucket(scope)}) part GROUP BY start ORDER BY start`;
}

export type Spread = Use & { start: Date; /** Σ of the tenants' squares. */ squares: number; largest: number };

/** The same, with how the compute is spread over the tenants. */
export async function readSpreadByBucket(sql: Sql, scope: BucketScope): Promise<Spread[]> {
  return sql.$queryRaw`
    SELECT start, ${sums}, sum(petaflop_seconds * petaflop_seconds)::float8 AS squares, max(petaflop_seconds)::float8 AS largest
    FROM (
      SELECT start, tenant_id, sum(accelerator_seconds) AS accelerator_seconds, sum(petaflop_seconds) AS petaflop_seconds, sum(micro_usd) AS micro_usd
      FROM (${byBucket(scope)}) part GROUP BY start, tenant_id
    ) tenants GROUP BY start ORDER BY start`;
}

/** Of each bucket by group: `groups` says in which one a tenant, or where there is a dimension a value of it, counts. */
export async function readGroupsByBucket(
  sql: Sql,
  scope: BucketScope,
  groups: Map<string, string>,
): Promise<(Use & { start: Date; value: string })[]> {
  const member = scope.dimension === 'all' ? Prisma.sql`part.tenant_id` : Prisma.sql`part.value`;
  return sql.$queryRaw`
    SELECT start, g.value, ${sums} FROM (${byBucket(scope)}) part
    JOIN unnest(${[...groups.keys()]}::text[], ${[...groups.values()]}::text[]) AS g(member, value) ON g.member = ${member}
    GROUP BY start, g.value ORDER BY start, "petaflopSeconds" DESC, g.value`;
}

function byBucket(scope: BucketScope): Prisma.Sql {
  const { dimension, bucket, to } = scope;
  const from = new Date(Math.floor(scope.from.getTime() / bucketMs[bucket]) * bucketMs[bucket]);
  const length = Prisma.sql`${bucketMs[bucket]}::float8 * interval '1 millisecond'`;
  const bounds = { from: Prisma.sql`b.start`, to: Prisma.sql`least(b.start + ${length}, ${to}::timestamptz)` };
  const stretches = [pendingSince(from), ...(scope.live === undefined ? [] : [running(scope.live)])];
  const parts = [
    Prisma.sql`SELECT r.start, ${rolledUp({ grain: bucket, from, to }, scope, dimension)}`,
    ...stretches.map(
      (rows) => Prisma.sql`
        SELECT start, ${shared(dimension)} FROM (
          SELECT s.*, b.start, ${partWithin(bounds)} AS part FROM (${rows}) s
          CROSS JOIN LATERAL generate_series(date_trunc(${bucket}, greatest(s."from", ${from}), 'UTC'), s."to", ${length}) AS b(start)
          WHERE s."to" >= ${from} AND s."from" < ${to} AND b.start < ${to} ${andTenants('s', scope)}
          OFFSET 0
        ) s`,
    ),
  ];
  return Prisma.join(parts, ' UNION ALL ');
}

/** What came to nothing, by tenant and cause: of attempts that have ended, and in the whole hours of the window. */
export async function readWaste(sql: Sql, scope: Window & OfTenants): Promise<UseRow[]> {
  const parts = coverOf(scope).runs.map((run) => Prisma.sql`SELECT ${rolledUp(run, scope, 'waste')}`);
  // A window within the last hour of a month has no whole hour.
  if (parts.length === 0) return [];
  return sql.$queryRaw`
    SELECT tenant_id AS "tenantId", value, ${sums} FROM (${Prisma.join(parts, ' UNION ALL ')}) part
    GROUP BY tenant_id, value ORDER BY tenant_id, value`;
}

/** Beyond so many half-lives a thousandth is left, which changes no order. */
const halfLivesKept = 10;

/**
 * Petaflop-seconds, each halved for every half-life of its age: by the hour for a day and two half-lives, two days at most, by the day
 * before that, as if all of an hour or a day had been in its middle. What no roll-up has yet is aged from its own end.
 */
export async function readDecayedUse(
  sql: Sql,
  halfLifeMs: number,
  now: Date,
): Promise<{ tenantId: string; petaflopSeconds: number }[]> {
  const since = (ms: number) => new Date(now.getTime() - ms);
  const hoursFrom = new Date(Math.floor(since(Math.min(2 * halfLifeMs, dayMs) + dayMs).getTime() / dayMs) * dayMs);
  const oldest = since(halfLivesKept * halfLifeMs);
  const days = Prisma.sql`r.grain = 'day' AND r.start >= ${oldest} AND r.start < ${hoursFrom}`;
  const hours = Prisma.sql`r.grain = 'hour' AND r.start >= ${hoursFrom}`;
  const summed = (rows: Prisma.Sql, lengthMs: number) => Prisma.sql`
    SELECT r.tenant_id, r.petaflop_seconds, r.start + ${lengthMs / 2}::float8 * interval '1 millisecond' AS at
    FROM use_rollup r WHERE r.dimension = 'all' AND ${rows}`;
  return sql.$queryRaw`
    SELECT tenant_id AS "tenantId",
      sum(petaflop_seconds * power(0.5, greatest(0, extract(epoch FROM ${now}::timestamptz - at)::float8) * 1000 / ${halfLifeMs}::float8)) AS "petaflopSeconds"
    FROM (
      ${summed(days, dayMs)} UNION ALL ${summed(hours, hourMs)}
      UNION ALL SELECT s.tenant_id, s.petaflop_seconds, s."to" FROM (${pendingSince(oldest)}) s
    ) past
    GROUP BY tenant_id`;
}

export async function readTenants(sql: Sql): Promise<{ id: string; name: string }[]> {
  return sql.$queryRaw`SELECT id, name FROM tenant`;
}

/** Since when there can be use. */
export async function readBeginning(sql: Sql): Promise<Date | null> {
  const { _min } = await sql.tenant.aggregate({ _min: { createdAt: true } });
  return _min.createdAt;
}

const sums = Prisma.sql`
  sum(accelerator_seconds)::float8 AS "acceleratorSeconds", sum(petaflop_seconds)::float8 AS "petaflopSeconds",
  sum(micro_usd)::float8 AS "microUsd"`;

type OfTenants = Pick<Scope, 'tenantIds'>;

function andTenants(table: string, { tenantIds }: OfTenants): Prisma.Sql {
  return tenantIds === null ? Prisma.empty : Prisma.sql`AND ${Prisma.raw(table)}.tenant_id = ANY(${[...tenantIds]})`;
}

/** Columns and source of a run of roll-ups. */
function rolledUp({ grain, from, to }: Run, scope: OfTenants, dimension: Dimension | 'waste'): Prisma.Sql {
  return Prisma.sql`r.tenant_id, r.value, r.accelerator_seconds, r.petaflop_seconds, r.micro_usd::float8 AS micro_usd
    FROM use_rollup r
    WHERE r.dimension = ${dimension} AND r.grain = ${grain} AND r.start >= ${from} AND r.start < ${to} ${andTenants('r', scope)}`;
}

/** All entries of one hour, from some moment in it on. */
function entriesIn({ from, to }: Window): Prisma.Sql {
  return Prisma.sql`
    SELECT u.tenant_id, u.job_id, u.provider, u.region, u.kind, u."from", u."to",
      u.accelerator_seconds, u.petaflop_seconds, u.micro_usd::float8 AS micro_usd
    FROM usage_entry u WHERE u."to" >= ${from} AND u."to" <= ${to} AND u."from" < ${to}`;
}

/** Entries that no roll-up has yet. */
function pendingSince(from: Date): Prisma.Sql {
  return Prisma.sql`
    SELECT u.tenant_id, u.job_id, u.provider, u.region, u.kind, u."from", u."to",
      u.accelerator_seconds, u.petaflop_seconds, u.micro_usd::float8 AS micro_usd
    FROM rollup_pending p JOIN usage_entry u ON u.id = p.entry_id WHERE u."from" >= ${from}`;
}

/**
 * Of machines that still run, what is not in the accounts yet. `OFFSET 0` has each level worked out once a machine: without it the
 * planner puts the look into the entries wherever its outcome is used, a dozen times.
 */
function running({ now, rates }: NonNullable<Scope['live']>): Prisma.Sql {
  return Prisma.sql`
    SELECT tenant_id, job_id, provider, region, kind, since AS "from", until AS "to",
      seconds * accelerators AS accelerator_seconds, seconds * accelerators * petaflops AS petaflop_seconds,
      seconds * hourly_usd * 1e6 / 3600 AS micro_usd
    FROM (
      SELECT tenant_id, job_id, offer ->> 'provider' AS provider, offer ->> 'region' AS region,
        offer #>> '{accelerators,kind}' AS kind, since, until, extract(epoch FROM until - since)::float8 AS seconds,
        (offer #>> '{accelerators,count}')::float8 AS accelerators,
        coalesce((${JSON.stringify(rates)}::jsonb ->> (offer #>> '{accelerators,kind}'))::float8, 0) AS petaflops,
        (offer ->> 'hourlyUsd')::float8 / (offer ->> 'nodes')::float8 AS hourly_usd
      FROM (
        SELECT i.tenant_id, a.job_id, a.offer, ${endOfUseIn(now)} AS until,
          coalesce((SELECT u."to" FROM usage_entry u WHERE u.instance_id = i.id ORDER BY u."from" DESC LIMIT 1), i.created_at) AS since
        FROM attempt a JOIN instance i ON i.attempt_id = a.id WHERE ${unfinished} AND i.created_at IS NOT NULL
        OFFSET 0
      ) machine
      WHERE until > since
      OFFSET 0
    ) live`;
}

/**
 * The part of a stretch that lies between two moments. A refund is a stretch without length: it counts where it lies. Where it is
 * asked for, `OFFSET 0` has it worked out once, and not for each of what is shared by it.
 */
function partWithin({ from, to }: { from: Prisma.Sql; to: Prisma.Sql }): Prisma.Sql {
  return Prisma.sql`
    CASE WHEN s."to" = s."from" THEN 1
    ELSE extract(epoch FROM greatest(least(s."to", ${to}) - greatest(s."from", ${from}), interval '0'))::float8 / extract(epoch FROM s."to" - s."from")::float8 END`;
}

function shared(dimension: Dimension): Prisma.Sql {
  return Prisma.sql`s.tenant_id, ${valueOf(dimension)} AS value, s.accelerator_seconds * s.part AS accelerator_seconds,
    s.petaflop_seconds * s.part AS petaflop_seconds, s.micro_usd * s.part AS micro_usd`;
}

function valueOf(dimension: Dimension): Prisma.Sql {
  if (dimension === 'all') return Prisma.sql`''`;
  if (!dimension.startsWith('label:')) return Prisma.raw(`s.${dimension}`);
  return Prisma.sql`(SELECT j.spec -> 'labels' ->> ${dimension.slice('label:'.length)} FROM job j WHERE j.id = s.job_id)`;
}
