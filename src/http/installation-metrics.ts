import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { createCache } from '../core/cache.ts';
import type { Database } from '../db/database.ts';
import { jobStates } from '../protocol/job.ts';
import { readInstallation, type Reading } from './metrics-store.ts';

/** Anyone may scrape: however often, the database is asked no more than this. */
const readingMs = 1_000;

/**
 * What an operator watches of the installation as a whole, read from the database at the scrape, so that each process says the
 * same: in Prometheus take the `max` of them, not the `sum`. Where the database is away, what is known without it is still told.
 */
export function observeInstallation(registry: Registry, db: Database): () => Promise<void> {
  const series = createSeries(registry);
  let lastEventId: bigint | undefined;
  const readings = createCache(
    async () => {
      const reading = await readInstallation(db.client, lastEventId);
      lastEventId = reading.lastEventId;
      show(series, reading);
    },
    readingMs,
    () => new Date(),
  );
  return () =>
    readings.get('').then(
      () => series.databaseUp.set(1),
      () => series.databaseUp.set(0),
    );
}

type Series = ReturnType<typeof createSeries>;

function createSeries(registry: Registry) {
  const registers = [registry];
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name, help, labelNames, registers });
  return {
    databaseUp: gauge('weir_database_up', 'Whether the database answered this scrape.'),
    jobs: gauge('weir_jobs', 'Jobs by state.', ['state']),
    tenantJobs: gauge('weir_tenant_jobs', 'Jobs that have not ended, by tenant and state.', ['tenant', 'state']),
    oldestQueued: gauge('weir_queue_oldest_seconds', 'How long the job that waits longest has waited.'),
    instances: gauge('weir_instances', 'Machines that are not gone.', ['provider', 'state']),
    silence: gauge('weir_heartbeat_age_seconds', 'How long the runner heard least of has been silent.'),
    expiredLeases: gauge('weir_leases_expired', 'Attempts whose runner counts as lost and that are not settled yet.'),
    changes: new Counter({
      name: 'weir_job_changes_total',
      help: 'Moves of jobs since this process was first scraped, by the state they came to and why.',
      labelNames: ['to', 'reason'],
      registers,
    }),
    waits: new Histogram({
      name: 'weir_job_wait_seconds',
      help: 'From a job’s submission to its first start, of those that started since this process was first scraped; tasks of arrays one by one.',
      buckets: waitBuckets,
      registers,
    }),
  };
}

/** From what an idle machine takes to a week. */
const waitBuckets = [0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3_600, 14_400, 43_200, 86_400, 259_200, 604_800];

function show(
  series: Series,
  { jobs, oldestQueuedSeconds, instances, heartbeatAgeSeconds, expiredLeases, changes, waitsSeconds }: Reading,
): void {
  series.tenantJobs.reset();
  series.instances.reset();
  for (const state of jobStates)
    series.jobs.set(
      { state },
      jobs.filter((row) => row.state === state).reduce((sum, { count }) => sum + count, 0),
    );
  for (const { tenant, state, count } of jobs) if (!ended.has(state)) series.tenantJobs.set({ tenant, state }, count);
  for (const { provider, state, count } of instances) series.instances.set({ provider, state }, count);
  for (const { to, reason, count } of changes) series.changes.inc({ to, reason }, count);
  for (const seconds of waitsSeconds) series.waits.observe(seconds);
  series.oldestQueued.set(oldestQueuedSeconds);
  series.silence.set(heartbeatAgeSeconds);
  series.expiredLeases.set(expiredLeases);
}

const ended = new Set(['succeeded', 'failed', 'cancelled']);
