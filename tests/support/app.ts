import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Fastify, { type FastifyInstance, type InjectOptions, type LightMyRequestResponse } from 'fastify';
import { Registry } from 'prom-client';
import { createFilesystemBucket } from '../../src/artifacts/filesystem-bucket.ts';
import { WeirError } from '../../src/core/errors.ts';
import { newId } from '../../src/core/ids.ts';
import { createApp, type AppDeps } from '../../src/http/app.ts';
import type { Database } from '../../src/db/database.ts';
import { createListener, type Listener } from '../../src/db/listen.ts';
import { createWakeups } from '../../src/logs/wakeups.ts';
import { createPoolCapacity } from '../../src/dispatch/pool-capacity.ts';
import { createProspects } from '../../src/dispatch/prospects.ts';
import { createReadQuotas } from '../../src/dispatch/quotas.ts';
import { createReplay } from '../../src/dispatch/replay.ts';
import { createSimulateApart } from '../../src/dispatch/simulate-thread.ts';
import { createCancel } from '../../src/jobs/cancel.ts';
import { createHoldQuote } from '../../src/jobs/requote.ts';
import { createSubmit } from '../../src/jobs/submit.ts';
import type { Quote } from '../../src/protocol/quote.ts';
import { roles, type Role } from '../../src/protocol/tenant.ts';
import { insertQuote, requireQuote } from '../../src/quotes/store.ts';
import { createKey } from '../../src/tenants/keys.ts';
import { committedByTenant } from '../../src/shares/store.ts';
import { currentLineage, currentPolicies, currentPoolPolicy } from '../../src/tenants/policies.ts';
import { requireSecrets } from '../../src/tenants/secrets.ts';
import { createTenant } from '../../src/tenants/tenants.ts';
import { test as withDatabase } from './database.ts';

export const operatorKey = 'operator-key-of-the-tests-0123456789';

export type TestTenant = { id: string; keys: Record<Role, string> };

export type TestApp = {
  app: FastifyInstance;
  /** Asks as the holder of a key; a body makes the request JSON. */
  ask: (
    key: string | undefined,
    request: string,
    body?: unknown,
    headers?: Record<string, string>,
  ) => Promise<LightMyRequestResponse>;
  /** A new tenant with a key of each role. */
  tenant: (name: string) => Promise<TestTenant>;
};

/** An API over a database, with a bucket in a folder; what a test gives replaces the rest. */
export async function openApp(
  db: Database,
  given: Partial<AppDeps> = {},
): Promise<TestApp & { close: () => Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'weir-app-'));
  const listener = createListener(db.url);
  const app = await createApp({ ...defaults(db, directory, listener), ...given });
  await app.ready();
  return {
    app,
    ask: (key, request, body, headers = {}) => {
      const [method, url] = request.split(' ', 2);
      const authorization = key === undefined ? {} : { authorization: `Bearer ${key}` };
      return app.inject({
        method: method as 'GET',
        url: url ?? '/',
        headers: { ...authorization, ...headers },
        ...payloadOf(body),
      });
    },
    tenant: (name) => addTenant(db, name),
    close: async () => {
      await app.close();
      await listener.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function payloadOf(body: unknown): Pick<InjectOptions, 'payload'> {
  return body === undefined ? {} : { payload: body as object };
}

async function addTenant(db: Database, name: string): Promise<TestTenant> {
  const { id } = await createTenant(db, { id: newId('tenant'), name, actor: 'test' });
  const keys = await Promise.all(
    roles.map(
      async (role) =>
        [
          role,
          (await createKey(db, { id: newId('key'), tenantId: id, role, label: null, actor: 'test' })).key,
        ] as const,
    ),
  );
  return { id, keys: Object.fromEntries(keys) as Record<Role, string> };
}

function defaults(db: Database, directory: string, listener: Listener): AppDeps {
  const now = () => new Date();
  const secretKey = randomBytes(32);
  const publicUrl = 'http://weir.test';
  const bucket = createFilesystemBucket({ directory, publicUrl, secretKey, now });
  const quote = async (_tenantId: string, _spec: unknown, id: string = newId('quote')) => sampleQuote(id);
  const capacities = async () => new Map([['local', sampleCapacity]]);
  const noRunner = () => Promise.reject(new WeirError('unauthorized', 'This app has no runners.'));
  return {
    db,
    now,
    secretKey,
    publicUrl,
    operatorKey,
    logger: Fastify({ logger: false }).log,
    metrics: new Registry(),
    sessionMs: 3_600_000,
    oidc: undefined,
    poolCapacity: createPoolCapacity({ db, now, capacities }),
    readQuotas: createReadQuotas({ db, now, capacities, petaflopsPerAccelerator: () => 1 }),
    checks: { database: async () => true, queue: async () => true, objectStore: () => bucket.isReady() },
    bucket,
    filesystemBucket: bucket,
    uploadMs: 86_400_000,
    downloadMs: 900_000,
    providerNames: ['local', 'gcp'],
    firstPolicy: undefined,
    bucketRegions: { home: null, elsewhere: [] },
    residence: async () => null,
    forgetPolicy: () => undefined,
    wakeups: createWakeups(listener),
    petaflopsPerAccelerator: () => 1,
    backlog: async () => ({ dispatch: 2 }),
    dataDir: directory,
    quote,
    pilots: { start: async () => undefined },
    offers: async () => [],
    submit: createSubmit({
      db,
      now,
      quote,
      holdQuote: createHoldQuote({
        now,
        quote: (tenantId, spec) => quote(tenantId, spec),
        requireQuote: (tenantId, quoteId) => requireQuote(db.client, tenantId, quoteId),
        storeQuote: (tenantId, fresh, spec) => insertQuote(db.client, fresh, tenantId, spec),
      }),
      lineage: (tenantId) => currentLineage(db.client, tenantId),
      checkReferences: (tenantId, { secrets = [] }) => requireSecrets(db.client, tenantId, secrets),
      petaflopsPerAccelerator: () => 1,
      prospects: createProspects({
        db,
        now,
        capacities: async () => new Map(),
        petaflopsPerAccelerator: () => 1,
        policies: currentPolicies,
        poolPolicy: currentPoolPolicy,
        committed: committedByTenant,
      }).prospects,
      isBarred: async () => false,
      isFree: async () => false,
      occupy: async () => true,
      wakeDispatch: () => undefined,
    }),
    cancel: createCancel({ db, now, wakeSettle: async () => undefined, wakeDispatch: () => undefined }),
    replay: createReplay({
      db,
      now,
      capacities,
      providerNames: ['local', 'gcp'],
      petaflopsPerAccelerator: () => 1,
      simulate: createSimulateApart(),
    }),
    bootStage: noRunner,
    claim: noRunner,
    heartbeat: noRunner,
    report: noRunner,
  };
}

/** A machine of four cores. */
const sampleCapacity = { cpus: 4, memoryBytes: 2 ** 40, diskBytes: 2 ** 40, gpus: { kind: 'none', count: 0 } };

/** A quote with one option: one core of this machine for ten minutes. */
export function sampleQuote(id: string): Quote {
  const optionId = newId('option');
  const percentiles = { p10: 300, p50: 600, p90: 900 };
  return {
    id,
    createdAt: new Date().toISOString(),
    expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
    workload: { flops: null, basis: 'default', assumptions: [], mostTelling: null },
    options: [
      {
        id: optionId,
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
        breakdown: {
          computeUsd: 0.003,
          provisioningUsd: 0,
          setupUsd: 0,
          transferUsd: 0,
          checkpointUsd: 0,
          preemptionUsd: 0,
          storageUsd: 0,
          egressUsd: 0,
        },
        phases: {
          provisioningSeconds: 0,
          setupSeconds: 0,
          transferSeconds: 0,
          trainingSeconds: 600,
          checkpointSeconds: 0,
          preemptionSeconds: 0,
        },
        start: { p50Seconds: 1, p90Seconds: 2 },
        pareto: true,
        feasible: true,
        reasons: [],
      },
    ],
    recommended: optionId,
    shareImpact: { window: '30d', before: 0, after: 0, cap: null },
    calibration: { runs: 0, medianErrorPercent: null, coveragePercent: null },
  };
}

/** vitest's `test` with an API over a database of its own as `api`. */
export const test = withDatabase.extend<{ api: TestApp }>({
  api: async ({ db }, use) => {
    const { close, ...api } = await openApp(db);
    await use(api);
    await close();
  },
});
