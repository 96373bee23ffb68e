import { lastCheckpointAt } from './artifacts/checkpoint-store.ts';
import { lifecycleRules, removeLeftovers, removeOldArtifacts } from './artifacts/retention.ts';
import { promote } from './artifacts/store.ts';
import { every } from './core/every.ts';
import { dayMs, hourMs } from './core/time.ts';
import { createBudgetLeft } from './dispatch/budgets.ts';
import { createCycle, type Cycle } from './dispatch/cycle.ts';
import { createRecord } from './dispatch/record.ts';
import { createTenantUses } from './dispatch/tenant-uses.ts';
import type { Foundation } from './foundation.ts';
import { forgetRequests } from './http/store.ts';
import { areQuotasDue, createRefreshQuotas } from './instances/refresh-quotas.ts';
import { createLaunch } from './instances/launch.ts';
import { createMeter } from './instances/meter.ts';
import type { Limits } from './instances/plan.ts';
import { onOneHost } from './instances/one-host.ts';
import { requireProvidersInUse } from './instances/providers-in-use.ts';
import { createSettle } from './instances/settle.ts';
import { createSweep } from './instances/sweep.ts';
import { createAnnounce } from './jobs/announce.ts';
import { createCancel } from './jobs/cancel.ts';
import { createPreempt } from './jobs/preempt.ts';
import { createSoleTenancy } from './jobs/sole-tenant.ts';
import { outcomes } from './jobs/state.ts';
import { createTend } from './jobs/tend.ts';
import { capacitiesOf } from './providers/capacities.ts';
import { archiveLogs } from './logs/archive.ts';
import { removeOldLogs } from './logs/retention.ts';
import { coreRatesOf } from './providers/core-rates.ts';
import type { Provider } from './providers/provider.ts';
import { createCalibrate, createCalibrateSweep, recalibrate } from './quotes/calibrate.ts';
import { readGooglePrices } from './quotes/google-prices.ts';
import { arePricesDue, createRefreshPrices } from './quotes/refresh-prices.ts';
import { insertDue } from './quotes/residual-store.ts';
import { forgetQuotes } from './quotes/store.ts';
import { createQuoting } from './quoting.ts';
import { createRollup, createRollupSweep } from './shares/rollup.ts';
import { committedByTenant, heldBy, lockTenants, release, reserve, reserveAll } from './shares/store.ts';
import { createAccrue, decayedUse, refundUse, useSince } from './shares/usage.ts';
import { createDeliver } from './webhooks/deliver.ts';
import { createPost } from './webhooks/post.ts';
import { forgetDeliveries, listDue } from './webhooks/store.ts';
import { currentPolicies, currentPoolPolicy } from './tenants/policies.ts';
import { forgetSessions } from './tenants/sessions.ts';

/**
 * The worker: dispatch, launch and settle from the queue, and the sweep on a timer of its own. Where it is the only
 * process of its machine, what runs on this machine leaves with it, to go on from its checkpoint at the next start.
 */
export async function startWorker(opened: Foundation, ownsMachine: boolean): Promise<() => Promise<void>> {
  await requireProvidersInUse(
    opened.db.client,
    opened.providers.map(({ name }) => name),
  );
  const hosts = { db: opened.db, leaseMs: opened.config.timing.leaseMs };
  const foundation = {
    ...opened,
    providers: await Promise.all(opened.providers.map((each) => onOneHost(each, hosts))),
  };
  const { queues, config, providers, onError } = foundation;
  const cycle = buildCycle(foundation);
  const tend = buildTend(foundation);
  const starting = createStarting();
  queues.work(
    'dispatch',
    1,
    starting.unlessOver(async () => {
      const isMoreToTend = await tend();
      // Another worker is at it, perhaps on a snapshot older than what woke us.
      if ((await cycle()) !== 'done' || isMoreToTend) foundation.wakeDispatch();
    }),
  );
  const launch = starting.unlessOver(buildLaunch(foundation));
  queues.work('launch', cloudLaunches, launch);
  queues.work('launch-here', 20, launch);
  queues.work('settle', 20, buildSettle(foundation));
  queues.work('deliver', 10, buildDeliver(foundation));
  const { pilots } = createQuoting(foundation);
  await recalibrate(foundation);
  const coreRates = () => coreRatesOf(providers);
  const calibrate = createCalibrate({ db: foundation.db, finishPilots: pilots.finish, coreRates });
  queues.work('calibrate', 20, async (jobId) => void (await calibrate(jobId)));
  queues.work('rollup', 1, createRollup({ db: foundation.db, preemptions }));
  const refreshesPrices = schedulePrices(foundation);
  const refreshesQuotas = scheduleQuotas(foundation);
  void foundation.bucket.applyLifecycle?.(lifecycleRules(config.retention)).catch(onError);
  const timers = [
    every(config.timing.sweepMs, buildSweep(foundation), onError),
    every(config.timing.sweepMs, () => wakeDue(foundation), onError),
    every(config.timing.sweepMs, createCalibrateSweep(foundation), onError),
    every(config.timing.sweepMs, pilots.sweep, onError),
    every(config.timing.sweepMs, createRollupSweep(foundation), onError),
    every(hourMs, () => clean(foundation), onError),
    every(hourMs, refreshesPrices, onError),
    every(config.timing.sweepMs, refreshesQuotas, onError),
  ];
  return async () => {
    await Promise.all(timers.map((stop) => stop()));
    if (!ownsMachine) return;
    // Else the place of the first that ends would be given to the next job, only to be taken from it too.
    await starting.end();
    for (const provider of providers) await provider.evacuate?.();
  };
}

/** At a time: they wait for a cloud, for seconds to minutes each. Compute Engine takes about 20 requests a second. */
const cloudLaunches = 200;

/** The reasons of attempts that ended for another's sake. */
const preemptions = Object.entries(outcomes).flatMap(([reason, { cause }]) => (cause === 'preemption' ? [reason] : []));

/** The steps that start something: they can be brought to an end before the others. */
function createStarting() {
  const underWay = new Set<Promise<void>>();
  let isOver = false;
  return {
    unlessOver: (step: (id: string) => Promise<void>) => async (id: string) => {
      if (isOver) return;
      const work = step(id);
      underWay.add(work);
      await work.finally(() => underWay.delete(work));
    },
    end: async () => {
      isOver = true;
      await Promise.allSettled(underWay);
    },
  };
}

function buildCycle(foundation: Foundation): Cycle {
  const { config, db, now, providers, petaflopsPerAccelerator, wakeLaunch, wakeSettle, onError } = foundation;
  const tenantUses = createTenantUses({
    policies: currentPolicies,
    poolPolicy: currentPoolPolicy,
    lockTenants,
    committed: committedByTenant,
    decayedUse,
    useSince,
  });
  const isolating = new Set(providers.filter(({ isolatesTenants }) => isolatesTenants).map(({ name }) => name));
  const soleTenancy = createSoleTenancy((provider) => isolating.has(provider));
  return createCycle({
    db,
    now,
    capacities: () => capacitiesOf(providers),
    petaflopsPerAccelerator,
    tenantUses,
    soleTenants: soleTenancy.read,
    occupy: soleTenancy.occupy,
    reserve: reserveAll,
    preempt: createPreempt({ db, now, wakeSettle }),
    record: createRecord({ db, now }),
    onError,
    wakeLaunch,
    bootMs: config.timing.bootMs,
  });
}

function buildTend({ db, now, wakeSettle, wakeDispatch, onError }: Foundation) {
  return createTend({ db, now, onError, cancel: createCancel({ db, now, wakeSettle, wakeDispatch }) });
}

function buildLaunch({ config, db, now, providers, stop, installation, onError }: Foundation) {
  return createLaunch({
    db,
    now,
    stop,
    onError,
    installation,
    provider: byName(providers),
    secretKey: config.secretKey,
    brokerUrl: config.publicUrl,
  });
}

function buildSettle(foundation: Foundation) {
  const { config, db, now, providers, petaflopsPerAccelerator, wakeSettle, wakeCalibrate, wakeDispatch } = foundation;
  return createSettle({
    db,
    now,
    provider: byName(providers),
    limits: limitsOf(foundation),
    accrue: createAccrue(petaflopsPerAccelerator),
    refund: refundUse,
    release,
    promote,
    lastCheckpointAt,
    insertDue,
    wakeCalibrate,
    wakeAgain: wakeSettle,
    wakeDispatch,
    retryBackoffMs: config.timing.retryBackoffMs,
  });
}

function buildSweep(foundation: Foundation) {
  const { db, now, providers, petaflopsPerAccelerator, wakeDispatch, wakeLaunch, wakeSettle, onError } = foundation;
  const accrue = createAccrue(petaflopsPerAccelerator);
  const budgetLeft = createBudgetLeft({ policies: currentPolicies, lockTenants, committed: committedByTenant });
  return createSweep({
    db,
    providers,
    limits: limitsOf(foundation),
    meter: createMeter({ db, now, accrue, held: heldBy, budgetLeft, reserve, wakeSettle }),
    announce: createAnnounce({ db, now }),
    wakeDispatch,
    wakeLaunch,
    wakeSettle,
    onError,
  });
}

/** Where there are credentials, prices a day old are read again: by whichever worker the queue gives it to. */
function schedulePrices({ db, now, queues, config: { googlePrices }, wakePrices }: Foundation): () => Promise<void> {
  if (googlePrices === undefined) return () => Promise.resolve();
  queues.work(
    'prices',
    1,
    createRefreshPrices(db, now, () => readGooglePrices(googlePrices)),
  );
  return async () => {
    if (await arePricesDue(db, now())) await wakePrices();
  };
}

/** Limits of the operator's accounts, where they can be read: by whichever worker the queue gives it to. */
function scheduleQuotas({ db, now, queues, providers, wakeDispatch }: Foundation): () => Promise<void> {
  const limited = providers.filter(({ quotas }) => quotas !== undefined).map(({ name }) => name);
  if (limited.length === 0) return () => Promise.resolve();
  queues.work('quotas', 4, createRefreshQuotas({ db, now, provider: byName(providers), wakeDispatch }));
  return async () => {
    for (const id of limited)
      if (await areQuotasDue(db, id, now())) await queues.wake({ step: 'quotas', id, version: 0 });
  };
}

/** An idempotency key is good for so long. */
const keyMs = 24 * hourMs;

function buildDeliver({ config, db, now }: Foundation) {
  return createDeliver({ db, now, secretKey: config.secretKey, post: createPost(config.webhooks.allowedAddresses) });
}

async function wakeDue({ db, now, queues }: Foundation): Promise<void> {
  const due = await listDue(db.client, now());
  await Promise.all(due.map((id) => queues.wake({ step: 'deliver', id, version: 0 })));
}

/** What was sent can be looked at, and sent again, for so long. */
const deliveriesMs = 30 * dayMs;

/** Each step by itself: one that fails keeps none of the others from it. */
async function clean({ config, db, bucket, residence, now, onError }: Foundation): Promise<void> {
  const ago = (ms: number) => new Date(now().getTime() - ms);
  const { retention, timing } = config;
  const { logsDays } = retention;
  const steps: (() => Promise<unknown>)[] = [
    () => forgetRequests(db.client, ago(keyMs)),
    () => forgetSessions(db.client, now()),
    () => forgetDeliveries(db.client, ago(deliveriesMs)),
    () => forgetQuotes(db.client, now()),
    () => removeLeftovers({ db, bucket, now, uploadMs: timing.uploadMs, onError }),
    () => archiveLogs({ db, bucket, residence, now, onError }),
    async () => logsDays !== undefined && removeOldLogs({ db, bucket, onError }, ago(logsDays * dayMs)),
    () => removeOldArtifacts({ db, bucket, now, onError }, retention),
  ];
  for (const step of steps) await step().catch(onError);
}

function byName(providers: Provider[]): (name: string) => Provider {
  const known = new Map(providers.map((provider) => [provider.name, provider]));
  return (name) => {
    const provider = known.get(name);
    if (provider === undefined)
      throw new Error(`The provider ${name} is not configured any more, and has machines of ours.`);
    return provider;
  };
}

function limitsOf({ config: { timing }, now }: Foundation): () => Limits {
  const upSince = now();
  return () => ({
    now: now(),
    upSince,
    bootMs: timing.bootMs,
    leaseMs: timing.leaseMs,
    graceMs: timing.graceMs,
    stopMs: timing.stopMs,
  });
}
