import { pino } from 'pino';
import { createJobDownloads } from './artifacts/download.ts';
import { createListener } from './db/listen.ts';
import { createPoolCapacity } from './dispatch/pool-capacity.ts';
import { createReadQuotas } from './dispatch/quotas.ts';
import { createReplay } from './dispatch/replay.ts';
import { createSimulateApart } from './dispatch/simulate-thread.ts';
import { bucketRegionsOf } from './config.ts';
import type { Foundation } from './foundation.ts';
import { createApp, type AppDeps } from './http/app.ts';
import { closeApp } from './http/close.ts';
import { createHealthApp } from './http/health-app.ts';
import { createMetrics } from './http/metrics.ts';
import { createBootStage } from './instances/boot-stage.ts';
import { createClaim } from './instances/claim.ts';
import { createHeartbeat } from './instances/heartbeat.ts';
import { createReport } from './instances/report.ts';
import { createCancel } from './jobs/cancel.ts';
import { createWakeups } from './logs/wakeups.ts';
import { capacitiesOf } from './providers/capacities.ts';
import { providerNames } from './providers/registry.ts';
import { createQuoting } from './quoting.ts';
import { openSecrets } from './tenants/secrets.ts';

/** The API: listens when this answers. */
export async function startApi(foundation: Foundation): Promise<() => Promise<void>> {
  const { config, db } = foundation;
  const listener = createListener(db.url);
  const app = await createApp({
    ...basics(foundation),
    ...createQuoting(foundation),
    cancel: createCancel(foundation),
    ...running(foundation),
    ...simulating(foundation),
    wakeups: createWakeups(listener),
  });
  await app.listen({ host: config.host, port: config.port }).catch((error: NodeJS.ErrnoException) => {
    const what =
      { EADDRINUSE: 'is taken', EACCES: 'is not this user’s to open' }[error.code ?? ''] ?? 'can’t be opened';
    throw new Error(`Port ${config.port} on ${config.host} ${what}. Set WEIR_PORT to another, or WEIR_HOST.`, {
      cause: error,
    });
  });
  return async () => {
    await closeApp(app);
    await listener.close();
  };
}

/** The health of a worker on its own. Where its port is taken, as by an API beside it, it goes without. */
export async function startHealth(foundation: Foundation): Promise<() => Promise<void>> {
  const { host, port } = foundation.config;
  const app = await createHealthApp(basics(foundation));
  await app.listen({ host, port }).catch((cause: unknown) => {
    foundation.onError(
      new Error(`This worker's health is not served: port ${port} is taken. Set WEIR_PORT to another.`, { cause }),
    );
  });
  return () => closeApp(app);
}

function basics({ config, db, bucket, residence, queues, now, petaflopsPerAccelerator }: Foundation) {
  return {
    db,
    now,
    bucket,
    metrics: createMetrics(),
    petaflopsPerAccelerator,
    backlog: queues.backlog,
    dataDir: config.dataDir,
    publicUrl: config.publicUrl,
    operatorKey: config.operatorKey,
    secretKey: config.secretKey,
    sessionMs: config.sessionMs,
    oidc: config.oidc,
    uploadMs: config.timing.uploadMs,
    downloadMs: config.timing.downloadMs,
    logger: pino({ level: 'warn' }),
    filesystemBucket: 'receive' in bucket ? bucket : undefined,
    providerNames,
    bucketRegions: bucketRegionsOf(config.bucket),
    firstPolicy: config.policies.tenant,
    residence,
    checks: {
      database: () => db.pool.query('SELECT 1').then(() => true),
      queue: () => queues.isReady(),
      objectStore: () => bucket.isReady(),
    },
  } satisfies Partial<AppDeps>;
}

function simulating({ db, now, providers, petaflopsPerAccelerator }: Foundation) {
  const capacities = () => capacitiesOf(providers);
  const replay = createReplay({
    db,
    now,
    capacities,
    providerNames,
    petaflopsPerAccelerator,
    simulate: createSimulateApart(),
  });
  return {
    replay,
    poolCapacity: createPoolCapacity({ db, now, capacities }),
    readQuotas: createReadQuotas({ db, now, capacities, petaflopsPerAccelerator }),
  } satisfies Partial<AppDeps>;
}

function running({ config, db, bucket, now, providers, stop, wakeSettle }: Foundation) {
  const { secretKey, timing } = config;
  return {
    bootStage: createBootStage({ db, now, secretKey, stop }),
    claim: createClaim({
      db,
      givesWholeMachines: (name) => providers.some((each) => each.name === name && each.givesWholeMachines === true),
      now,
      secretKey,
      openSecrets: (tenantId, names) => openSecrets(db.client, secretKey, tenantId, names),
      // A runner fetches one file after the other, however long the first takes.
      downloads: createJobDownloads({ db, bucket, now, downloadMs: timing.uploadMs }),
      stop,
      timing,
    }),
    heartbeat: createHeartbeat({ db, now, leaseMs: timing.leaseMs }),
    report: createReport({ db, now, wakeSettle }),
  } satisfies Partial<AppDeps>;
}
