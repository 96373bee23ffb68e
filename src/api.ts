import { pino } from 'pino';
import { createJobDownloads } from './artifacts/download.ts';
import { requireArtifactInputs } from './artifacts/job-input.ts';
import { requireUploads } from './artifacts/upload.ts';
import { createCache } from './core/cache.ts';
import { newId } from './core/ids.ts';
import { createListener } from './db/listen.ts';
import { createCurrentOffers } from './dispatch/availability.ts';
import type { Foundation } from './foundation.ts';
import { createApp, type AppDeps } from './http/app.ts';
import { closeApp } from './http/close.ts';
import { createHealthApp } from './http/health-app.ts';
import { createMetrics } from './http/metrics.ts';
import { createClaim } from './instances/claim.ts';
import { createHeartbeat } from './instances/heartbeat.ts';
import { createReport } from './instances/report.ts';
import { createCancel } from './jobs/cancel.ts';
import { createOccupancy } from './jobs/sole-tenant.ts';
import { createHoldQuote } from './jobs/requote.ts';
import { createSubmit } from './jobs/submit.ts';
import type { JobSpec } from './protocol/job-spec.ts';
import { createWakeups } from './logs/wakeups.ts';
import { capacitiesOf } from './providers/capacities.ts';
import { providerNames } from './providers/registry.ts';
import { createHistory } from './quotes/history.ts';
import { listOffers } from './quotes/offers.ts';
import { createQuoter, type Quoter } from './quotes/quote.ts';
import type { Seller } from './quotes/sellers.ts';
import { insertQuote, requireQuote } from './quotes/store.ts';
import { createOutlook } from './shares/outlook.ts';
import { currentPolicy } from './tenants/policies.ts';
import { openSecrets, requireSecrets } from './tenants/secrets.ts';

/** The API: listens when this answers. */
export async function startApi(foundation: Foundation): Promise<() => Promise<void>> {
  const { config, db } = foundation;
  const listener = createListener(db.url);
  const app = await createApp({
    ...basics(foundation),
    ...quoting(foundation),
    ...running(foundation),
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

function basics({ config, db, bucket, queues, now, petaflopsPerAccelerator }: Foundation) {
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
    uploadMs: config.timing.uploadMs,
    downloadMs: config.timing.downloadMs,
    logger: pino({ level: 'warn' }),
    filesystemBucket: 'receive' in bucket ? bucket : undefined,
    providerNames,
    checks: {
      database: () => db.pool.query('SELECT 1').then(() => true),
      queue: () => queues.isReady(),
      objectStore: () => bucket.isReady(),
    },
  } satisfies Partial<AppDeps>;
}

/** For quotes and admission. A change made by another process is seen within this; what starts a job reads the policy itself. */
const policyMs = 1_000;

function quoting(foundation: Foundation) {
  const { config, db, bucket, now, providers, wakeSettle, wakeDispatch } = foundation;
  const policies = createCache((tenantId) => currentPolicy(db.client, tenantId), policyMs, now);
  const policy = policies.get;
  const sellers = (): Promise<Seller[]> =>
    Promise.all(providers.map(async ({ name, sellables }) => ({ provider: name, sellables: await sellables() })));
  const { quote }: Quoter = createQuoter({
    sellers,
    history: createHistory(db, now),
    policy,
    share: createOutlook({ db, now, policy }),
    petaflopsPerAccelerator: foundation.petaflopsPerAccelerator,
    bucketRegion: config.bucket.kind === 'gcs' ? (config.bucket.region ?? null) : null,
    now,
    quoteMs: config.timing.quoteMs,
  });
  const isolating = new Set(providers.filter(({ isolatesTenants }) => isolatesTenants).map(({ name }) => name));
  return {
    forgetPolicy: policies.forget,
    quote,
    offers: createCurrentOffers({
      db,
      now,
      offers: async () => listOffers(await sellers()),
      capacities: () => capacitiesOf(providers),
    }),
    submit: createSubmit({
      db,
      now,
      quote: (tenantId, spec) => quote(tenantId, spec, newId('quote')),
      holdQuote: createHoldQuote({
        now,
        quote: (tenantId, spec) => quote(tenantId, spec, newId('quote')),
        requireQuote: (tenantId, quoteId) => requireQuote(db.client, tenantId, quoteId),
        storeQuote: (tenantId, fresh, spec) => insertQuote(db.client, fresh, tenantId, spec),
      }),
      policy,
      checkReferences: async (tenantId: string, spec: JobSpec) => {
        if (spec.secrets !== undefined) await requireSecrets(db.client, tenantId, spec.secrets);
        await requireUploads({ db, bucket, now }, tenantId, spec);
        await requireArtifactInputs(db.client, tenantId, spec);
      },
      petaflopsPerAccelerator: foundation.petaflopsPerAccelerator,
      ...createOccupancy(db.client, (provider) => isolating.has(provider)),
      wakeDispatch,
    }),
    cancel: createCancel({ db, now, wakeSettle, wakeDispatch }),
  } satisfies Partial<AppDeps>;
}

function running({ config, db, bucket, now, stop, wakeSettle }: Foundation) {
  const { secretKey, timing } = config;
  return {
    claim: createClaim({
      db,
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
