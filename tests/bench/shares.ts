import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import autocannon from 'autocannon';
import { startCluster } from '../../src/db/cluster.ts';
import { openDatabase, type Database } from '../../src/db/database.ts';
import { sumUp } from '../../src/shares/rollup-store.ts';
import { createInstallation, operatorKey } from '../support/service.ts';
import { finish } from './summary.ts';

/**
 * `GET /v1/shares` of a thousand tenants over ten million lines of use (`--lines=` for fewer), written over thirty-one
 * days, with a thousand machines running, against the same sums read from the lines themselves. The newest roll-ups are made by the
 * statement of the queue's step, the older ones as that would have made them, all at once; some lines are left to it, as it is
 * behind by in a round of the sweep.
 */
const lines = Number(process.argv.find((word) => word.startsWith('--lines='))?.slice('--lines='.length) ?? 10_000_000);
const tenants = 1_000;
const days = 31;
const running = 1_000;
const unrolled = 1_000;
/** Of the newest lines, as many as the step sums up in one go. */
const rolledUp = Math.min(lines - unrolled, 100_000);
const durationSeconds = 5;

const startedAt = performance.now();
const directory = await mkdtemp(join(tmpdir(), 'weir-bench-'));
// What is measured reads: only the writing before it is freed of what would make it last.
const cluster = await startCluster(join(directory, 'postgres'), [
  '-c fsync=off -c synchronous_commit=off -c max_wal_size=16GB -c checkpoint_timeout=1h',
]);
const installation = await createInstallation({ databaseUrl: cluster.url });
await installation.start('api');
const db = openDatabase(cluster.url, 4);

const fillMs = await timed(() => fill(db));
const rollUpMs = await timed(() => rollUp(db));
await leaveUnrolled(db);
await db.pool.query('VACUUM (ANALYZE) usage_entry, use_rollup, rollup_pending, attempt, instance, tenant');
const setUpSeconds = (performance.now() - startedAt) / 1000;

const rounds: Record<string, { p50Ms: number; p99Ms: number; perSecond: number }> = {};
for (const query of [
  'window=1h',
  'window=24h',
  'window=30d',
  'window=all',
  'window=30d&groupBy=kind',
  'window=30d&series=day',
])
  rounds[query] = await load(query);
const rawMs = [];
for (let turn = 0; turn < 2; turn += 1) rawMs.push(await timed(() => readRaw(db)));
const rollups = await count(db, 'use_rollup');

await db.close();
await installation.remove();
await cluster.stop();
await rm(directory, { recursive: true, force: true });

const p99Ms = rounds['window=30d']?.p99Ms ?? NaN;
finish({
  rounds,
  rawMs,
  summary: {
    usageLines: lines,
    tenants,
    rollupRows: rollups,
    setUpSeconds,
    filledPerSecond: (lines / fillMs) * 1000,
    rolledUpPerSecond: (rolledUp / rollUpMs) * 1000,
    p50Ms: rounds['window=30d']?.p50Ms ?? NaN,
    p99Ms,
    p99Ms1h: rounds['window=1h']?.p99Ms ?? NaN,
    p99MsAll: rounds['window=all']?.p99Ms ?? NaN,
    fromTheLinesMs: Math.min(...rawMs),
    ratio: Math.min(...rawMs) / p99Ms,
  },
});

/** With triggers off: what is written here is as they would have it, and is checked by the tests. */
async function fill({ pool }: Database): Promise<void> {
  const client = await pool.connect();
  await client.query(`SET session_replication_role = replica`);
  await client.query(`SET work_mem = '512MB'`);
  await client.query(`SET maintenance_work_mem = '1GB'`);
  await client.query(
    `INSERT INTO tenant (id, name, created_at) SELECT tenant, tenant, now() - interval '32 days'
     FROM (SELECT 'tnt_' || lpad(n::text, 26, '0') AS tenant FROM generate_series(0, $1 - 1) AS n) t`,
    [tenants],
  );
  // Built once at the end, they are there in a fraction of the time.
  const { rows: indexes } = await client.query<{ indexname: string; indexdef: string }>(
    `SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'usage_entry' AND indexname <> 'usage_entry_pkey'`,
  );
  for (const { indexname } of indexes) await client.query(`DROP INDEX "${indexname}"`);
  await client.query(
    `INSERT INTO usage_entry (tenant_id, job_id, attempt, instance_id, provider, region, kind, "from", "to", accelerator_seconds, petaflop_seconds, micro_usd)
     SELECT 'tnt_' || lpad((n % $2)::text, 26, '0'), 'job_' || n / 100, 1, 'ins_' || n, 'local', (ARRAY['here', 'there'])[1 + n % 2], (ARRAY['cpu', 'H100'])[1 + n / 7 % 2],
       at, at + interval '20 minutes', 1200, 1 + n % 13, 1000000
     FROM generate_series(1, $1) AS n
     CROSS JOIN LATERAL (SELECT date_trunc('hour', now() - interval '1 hour' * (1 + $3 * 24 * (1 - n::float8 / $1))) + interval '1 second' * (n % 2400) AS at) span`,
    [lines, tenants, days],
  );
  for (const { indexdef } of indexes) await client.query(indexdef);
  await sumUpOld(client);
  await client.query(
    `INSERT INTO rollup_pending (entry_id) SELECT id FROM usage_entry WHERE id > $1 AND id <= $2 ORDER BY id`,
    [lines - unrolled - rolledUp, lines - unrolled],
  );
  await runMachines(client);
  await client.query('ANALYZE');
  client.release(true);
}

type Client = { query: (sql: string, values: unknown[]) => Promise<unknown> };

/** What the queue's step would have made of all but the newest lines. */
async function sumUpOld(client: Client): Promise<void> {
  await client.query(
    `INSERT INTO use_rollup
     WITH hourly AS (
       SELECT date_trunc('hour', "from", 'UTC') AS hour, tenant_id, kind, provider, region,
         sum(accelerator_seconds) AS accelerator_seconds, sum(petaflop_seconds) AS petaflop_seconds, sum(micro_usd) AS micro_usd
       FROM usage_entry WHERE id <= $1 GROUP BY 1, 2, 3, 4, 5
     )
     SELECT d.dimension, g.grain, date_trunc(g.grain, hour, 'UTC'), tenant_id, d.value,
       sum(accelerator_seconds), sum(petaflop_seconds), sum(micro_usd)::bigint
     FROM hourly
     CROSS JOIN LATERAL (VALUES ('all', ''), ('kind', kind), ('provider', provider), ('region', region)) AS d(dimension, value)
     CROSS JOIN (VALUES ('hour'), ('day'), ('month')) AS g(grain)
     GROUP BY 1, 2, 3, 4, 5`,
    [lines - unrolled - rolledUp],
  );
}

async function runMachines(client: Client): Promise<void> {
  const offer = { provider: 'local', region: 'here', accelerators: { kind: 'cpu', count: 4 }, hourlyUsd: 1, nodes: 1 };
  const id = `lpad(n::text, 26, '0')`;
  await client.query(
    `INSERT INTO attempt (id, job_id, tenant_id, number, state, offer, limits, created_at, started_at, lease_expires_at)
     SELECT 'att_' || ${id}, 'job_' || ${id}, 'tnt_' || lpad((n % $2)::text, 26, '0'), 1, 'running', $3, '{}', now(), now(), now() FROM generate_series(1, $1) AS n`,
    [running, tenants, JSON.stringify(offer)],
  );
  await client.query(
    `INSERT INTO instance (id, attempt_id, tenant_id, node, provider, zone, name, state, requested_at, created_at, ready_at)
     SELECT 'ins_' || ${id}, 'att_' || ${id}, 'tnt_' || lpad((n % $2)::text, 26, '0'), 0, 'local', 'here', 'm' || n, 'ready', now(), now() - interval '30 minutes', now() FROM generate_series(1, $1) AS n`,
    [running, tenants],
  );
}

async function rollUp({ client }: Database): Promise<void> {
  const batch = () => client.$transaction((tx) => sumUp(tx, ['preemption'], rolledUp), { timeout: 1_800_000 });
  while ((await batch()) > 0);
}

async function leaveUnrolled({ pool }: Database): Promise<void> {
  await pool.query(`INSERT INTO rollup_pending (entry_id) SELECT id FROM usage_entry WHERE id > $1`, [
    lines - unrolled,
  ]);
}

async function load(query: string) {
  const { latency, requests, non2xx, errors } = await autocannon({
    url: `${installation.url}/v1/shares?${query}`,
    connections: 1,
    duration: durationSeconds,
    headers: { authorization: `Bearer ${operatorKey}` },
  });
  if (non2xx > 0 || errors > 0) throw new Error(`${non2xx} refusals and ${errors} errors at ${query}`);
  return { p50Ms: latency.p50, p99Ms: latency.p99, perSecond: requests.average };
}

/** What a share of thirty days would cost without roll-ups. */
function readRaw({ pool }: Database): Promise<unknown> {
  return pool.query(
    `SELECT tenant_id, sum(petaflop_seconds), sum(micro_usd) FROM usage_entry WHERE "to" > now() - interval '30 days' GROUP BY tenant_id`,
  );
}

async function count({ pool }: Database, table: string): Promise<number> {
  return Number((await pool.query<{ count: string }>(`SELECT count(*) FROM ${table}`)).rows[0]?.count);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
