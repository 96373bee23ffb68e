import { newId } from '../../../src/core/ids.ts';
import { openDatabase, type Database } from '../../../src/db/database.ts';
import { migrate } from '../../../src/db/migrate.ts';
import { createCycle } from '../../../src/dispatch/cycle.ts';
import { createRecord } from '../../../src/dispatch/record.ts';
import { createTenantUses } from '../../../src/dispatch/tenant-uses.ts';
import type { QuoteOption } from '../../../src/protocol/quote.ts';
import { committedByTenant, lockTenants, reserveAll } from '../../../src/shares/store.ts';
import { decayedUse, useSince } from '../../../src/shares/usage.ts';
import { currentPolicies, currentPoolPolicy } from '../../../src/tenants/policies.ts';
import { withCluster } from './cluster.ts';
import { median } from '../summary.ts';

const tenantCount = 1000;
/** In order: the last is the aim. */
const queueLengths = [10_000, 100_000, 1_000_000];
const rounds = 5;
/** Of so many cores each round finds a few free: as many as jobs end between two rounds. */
const freeCores = 20;

/**
 * One cycle over so many queued rows of a thousand tenants, reads and writes included: the first of a process that knows nothing
 * yet, and the ones after it, each of which starts what has become free.
 */
export function benchCycle() {
  return withCluster(async (url) => {
    await migrate(url);
    const db = openDatabase(url);
    try {
      const measured = [];
      let queued = 0;
      await addTenants(db);
      for (const length of queueLengths) {
        await addJobs(db, length - queued);
        queued = length;
        measured.push({ queued: length, ...(await measure(db)) });
      }
      return measured;
    } finally {
      await db.close();
    }
  });
}

async function measure(db: Database) {
  const active = await db.client.attempt.count();
  let cores = active;
  const cycle = createCycle({
    db,
    now: () => new Date(),
    capacities: async () =>
      new Map([['local', { cpus: cores, memoryBytes: 2 ** 50, diskBytes: 2 ** 50, gpus: { kind: 'none', count: 0 } }]]),
    petaflopsPerAccelerator: () => 0.00005,
    tenantUses: createTenantUses({
      policies: currentPolicies,
      poolPolicy: currentPoolPolicy,
      lockTenants,
      committed: committedByTenant,
      decayedUse,
      useSince,
    }),
    soleTenants: async () => new Map(),
    occupy: async () => true,
    reserve: reserveAll,
    preempt: async () => undefined,
    record: createRecord({ db, now: () => new Date() }),
    onError: (error) => {
      throw error;
    },
    wakeLaunch: async () => undefined,
    bootMs: 60_000,
  });
  const timesMs = [];
  for (let round = 0; round <= rounds; round += 1) {
    cores += freeCores;
    const startedAt = performance.now();
    await cycle();
    timesMs.push(performance.now() - startedAt);
  }
  const [firstMs = NaN, ...laterMs] = timesMs;
  return {
    firstMs,
    medianMs: median(laterMs),
    worstMs: Math.max(...laterMs),
    startsEach: freeCores,
    residentMiB: process.memoryUsage().rss / 2 ** 20,
  };
}

const percentiles = { p10: 300, p50: 600, p90: 900 };

/** One core of this machine for ten minutes, as a quote has it. */
const option = {
  id: 'opt_01h455vb4pex5vsknk084sn02q',
  offer: {
    id: 'local/cpu/1',
    provider: 'local',
    region: 'local',
    zone: null,
    machineType: 'this-machine',
    accelerators: { kind: 'cpu', count: 1 },
    nodes: 1,
    market: 'on-demand',
    hourlyUsd: 0.02,
    priceDate: '2026-08-03',
  },
  durationSeconds: percentiles,
  costUsd: { p10: 0.001, p50: 0.003, p90: 0.005 },
  feasible: true,
  reasons: [],
} satisfies Pick<QuoteOption, 'id' | 'offer' | 'durationSeconds' | 'costUsd' | 'feasible' | 'reasons'>;

async function addTenants(db: Database): Promise<void> {
  const tenants = Array.from({ length: tenantCount }, (_, index) => ({ id: newId('tenant'), name: `tenant ${index}` }));
  await db.client.tenant.createMany({ data: tenants });
}

/** As submission leaves them, but for their quotes; ten kinds of job, of many tenants at a time. */
async function addJobs(db: Database, count: number): Promise<void> {
  await db.pool.query(
    `INSERT INTO job (id, tenant_id, name, state, spec, quote_id, options, priority, created_at, queued_at)
     SELECT 'job_' || md5(random()::text), t.id, 'job', 'queued', '{"name":"job","command":"true"}', 'qte', $1, 50 + n % 10,
       now() + n * interval '1 microsecond', now() + n * interval '1 microsecond'
     FROM (SELECT id, row_number() OVER () - 1 AS place FROM tenant) t JOIN generate_series(0, $2::int - 1) n ON n % $3 = t.place`,
    [JSON.stringify([option]), count, tenantCount],
  );
  await db.pool.query('VACUUM (ANALYZE) job');
}
