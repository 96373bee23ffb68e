import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCluster } from '../../src/db/cluster.ts';
import { openDatabase, type Database } from '../../src/db/database.ts';
import { migrate } from '../../src/db/migrate.ts';
import { createBudgetLeft } from '../../src/dispatch/budgets.ts';
import { createMeter } from '../../src/instances/meter.ts';
import { createSweep } from '../../src/instances/sweep.ts';
import type { Provider } from '../../src/providers/provider.ts';
import { committedByTenant, heldBy, lockTenants, reserve, reserveAll } from '../../src/shares/store.ts';
import { createAccrue } from '../../src/shares/usage.ts';
import { currentPolicies } from '../../src/tenants/policies.ts';
import { finish } from './summary.ts';

/**
 * How the ledger grows while a thousand instances (`--instances=10000` for ten thousand, in minutes) run on for hours: the real sweep and the real
 * accounts over rows of running attempts, by a clock that moves ten minutes from each look to the next.
 */
const instances = Number(
  process.argv.find((word) => word.startsWith('--instances='))?.slice('--instances='.length) ?? 1_000,
);
const tenants = 100;
const hours = 2;
const looksPerHour = 6;
const hourMs = 3_600_000;
const offer = {
  id: 'offer',
  provider: 'bench',
  region: 'here',
  zone: null,
  machineType: 'm',
  accelerators: { kind: 'cpu', count: 4 },
  nodes: 1,
  market: 'on-demand',
  hourlyUsd: 1,
  priceDate: '2026-11-01',
};
/** What a job holds in reserve at its start, in micro-dollars: it lasts for half an hour. */
const reserved = 500_000;

const directory = await mkdtemp(join(tmpdir(), 'weir-bench-'));
const cluster = await startCluster(join(directory, 'postgres'), ['-c fsync=off -c synchronous_commit=off']);
await migrate(cluster.url);
const db = openDatabase(cluster.url, 4);

const start = new Date('2026-11-10T12:10:00Z');
let nowMs = start.getTime();
const now = () => new Date(nowMs);
await fill(db);
const sweep = sweepOf(db);
const linesAtStart = await countLines(db);
const sweepMs: number[] = [];
for (let look = 0; look < hours * looksPerHour; look += 1) {
  nowMs += hourMs / looksPerHour;
  const startedAt = performance.now();
  await sweep();
  sweepMs.push(performance.now() - startedAt);
}
const lines = (await countLines(db)) - linesAtStart;

await db.close();
await cluster.stop();
await rm(directory, { recursive: true, force: true });

const instanceHours = instances * hours;
/** A charge is a line on each of two accounts. */
const ifOneAMinute = instanceHours * 60 * 2;
finish({
  sweepMs,
  summary: {
    instances,
    hours,
    lines,
    linesPerInstanceHour: lines / instanceHours,
    linesIfAChargeAMinute: ifOneAMinute,
    ratio: ifOneAMinute / lines,
    idleSweepMs: Math.min(...sweepMs),
    longestSweepMs: Math.max(...sweepMs),
  },
});

async function fill({ pool, transaction }: Database): Promise<void> {
  const id = `lpad(n::text, 26, '0')`;
  const tenant = `'tnt_' || lpad((n % ${tenants})::text, 26, '0')`;
  const numbers = `generate_series(1, ${instances}) AS n`;
  await pool.query(`INSERT INTO tenant (id, name) SELECT DISTINCT ${tenant}, ${tenant} FROM ${numbers}`);
  await pool.query(
    `INSERT INTO job (id, tenant_id, name, state, spec, quote_id, options, priority, attempt_number, reserved_micro_usd, created_at, queued_at, started_at)
     SELECT 'job_' || ${id}, ${tenant}, 'job', 'running', '{}', 'qte', '[]', 50, 1, ${reserved}, $1, $1, $1 FROM ${numbers}`,
    [start],
  );
  await pool.query(
    `INSERT INTO attempt (id, job_id, tenant_id, number, state, offer, limits, created_at, started_at, lease_expires_at)
     SELECT 'att_' || ${id}, 'job_' || ${id}, ${tenant}, 1, 'running', $2, '{}', $1, $1, 'infinity' FROM ${numbers}`,
    [start, JSON.stringify(offer)],
  );
  await pool.query(
    `INSERT INTO instance (id, attempt_id, tenant_id, node, provider, zone, name, state, requested_at, created_at, ready_at)
     SELECT 'ins_' || ${id}, 'att_' || ${id}, ${tenant}, 0, 'bench', 'here', 'm' || n, 'ready', $1, $1, $1 FROM ${numbers}`,
    [start],
  );
  const { rows } = await pool.query<{ id: string; tenant: string }>(
    `SELECT id, tenant_id AS tenant FROM job ORDER BY id`,
  );
  for (let first = 0; first < rows.length; first += 1000)
    await transaction((tx) =>
      reserveAll(
        tx,
        rows.slice(first, first + 1000).map(({ id: jobId, tenant: tenantId }) => {
          return { tenantId, jobId, attempt: 1, amount: reserved, note: 'Attempt 1 starts.', at: start };
        }),
      ),
    );
  await pool.query('VACUUM (ANALYZE) job, attempt, instance, ledger_entry');
}

function sweepOf(bench: Database): () => Promise<void> {
  const nothing = async (): Promise<never> => Promise.reject(new Error('Nothing ends here, and nothing is told.'));
  const names = Array.from({ length: instances }, (_, index) => `m${index + 1}`);
  const labels = { installation: 'bench', tenant: 't', job: 'j', attempt: 1 };
  const provider: Provider = {
    name: 'bench',
    isolatesTenants: true,
    sellables: async () => [],
    capacity: async () => undefined,
    close: async () => undefined,
    create: nothing,
    destroy: nothing,
    list: async () => names.map((name) => ({ name, zone: 'here', labels })),
  };
  const day = 24 * hourMs;
  return createSweep({
    db: bench,
    providers: [provider],
    limits: () => ({ now: now(), upSince: start, bootMs: day, leaseMs: day, graceMs: day, stopMs: day }),
    meter: createMeter({
      db: bench,
      now,
      accrue: createAccrue(() => 1),
      held: heldBy,
      budgetLeft: createBudgetLeft({ policies: currentPolicies, lockTenants, committed: committedByTenant }),
      reserve,
      wakeSettle: nothing,
    }),
    announce: nothing,
    wakeDispatch: () => undefined,
    wakeLaunch: nothing,
    wakeSettle: nothing,
    onError: (error) => {
      throw error;
    },
  });
}

async function countLines({ pool }: Database): Promise<number> {
  return Number((await pool.query<{ count: string }>('SELECT count(*) FROM ledger_entry')).rows[0]?.count);
}
