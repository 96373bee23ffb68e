import type { WeirError } from '../../src/core/errors.ts';
import { newId } from '../../src/core/ids.ts';
import { newToken } from '../../src/core/tokens.ts';
import type { Database } from '../../src/db/database.ts';
import { createBudgetLeft } from '../../src/dispatch/budgets.ts';
import { createCycle } from '../../src/dispatch/cycle.ts';
import { createRecord } from '../../src/dispatch/record.ts';
import { createTenantUses } from '../../src/dispatch/tenant-uses.ts';
import { createClaim } from '../../src/instances/claim.ts';
import { requireRunner } from '../../src/instances/fence.ts';
import { createHeartbeat } from '../../src/instances/heartbeat.ts';
import { createLaunch } from '../../src/instances/launch.ts';
import { createMeter } from '../../src/instances/meter.ts';
import { createReport } from '../../src/instances/report.ts';
import { createSettle } from '../../src/instances/settle.ts';
import { createSweep } from '../../src/instances/sweep.ts';
import { createCancel } from '../../src/jobs/cancel.ts';
import { createAnnounce } from '../../src/jobs/announce.ts';
import { createPreempt } from '../../src/jobs/preempt.ts';
import { createSoleTenancy } from '../../src/jobs/sole-tenant.ts';
import { createStop } from '../../src/jobs/stop.ts';
import { insertJobs } from '../../src/jobs/store.ts';
import { asText } from '../../src/quotes/store.ts';
import { createTend } from '../../src/jobs/tend.ts';
import type { JobSpec } from '../../src/protocol/job-spec.ts';
import type { Quote } from '../../src/protocol/quote.ts';
import type { Heartbeat, Report } from '../../src/protocol/runner.ts';
import type { Policy } from '../../src/protocol/tenant.ts';
import { lastCheckpointAt } from '../../src/artifacts/checkpoint-store.ts';
import { promote } from '../../src/artifacts/store.ts';
import { insertDue } from '../../src/quotes/residual-store.ts';
import { committedByTenant, heldBy, lockTenants, release, reserve, reserveAll } from '../../src/shares/store.ts';
import { createAccrue, decayedUse, refundUse, useSince } from '../../src/shares/usage.ts';
import { currentPolicies, currentPoolPolicy } from '../../src/tenants/policies.ts';
import { openSecrets } from '../../src/tenants/secrets.ts';
import { sampleQuote } from '../support/app.ts';
import { test as withDatabase } from '../support/database.ts';
import { createScriptedProvider } from './scripted-provider.ts';

/** Seconds, so that a test's clock moves in whole ones. */
export const timing = { bootMs: 60_000, leaseMs: 30_000, graceMs: 10_000, stopMs: 20_000, heartbeatMs: 1_000 };
const retryBackoffMs = 2_000;
const start = new Date('2026-11-10T12:00:00Z');
/** So dear that every second shows in the accounts. */
export const hourlyUsd = 36;

export type World = ReturnType<typeof createWorld>;

/** The verbs of a job's life over a real database, a scripted cloud and a clock that stands still; woken by hand. */
export function createWorld(db: Database) {
  let nowMs = start.getTime();
  const now = () => new Date(nowMs);
  const provider = createScriptedProvider();
  const secretKey = Buffer.alloc(32, 7);
  const woken: string[] = [];
  const wake = (step: string) => async (id: string) => void woken.push(`${step} ${id}`);
  const stop = createStop({ db, now, wakeSettle: wake('settle') });
  const cancel = createCancel({ db, now, wakeSettle: wake('settle'), wakeDispatch: () => undefined });
  const limits = () => ({ now: now(), upSince: start, ...timing });
  const accrue = createAccrue(() => 1);
  const errors: unknown[] = [];

  const tenantUses = createTenantUses({
    policies: currentPolicies,
    poolPolicy: currentPoolPolicy,
    lockTenants,
    committed: committedByTenant,
    decayedUse,
    useSince,
  });
  const soleTenancy = createSoleTenancy(() => provider.isolatesTenants);
  const storage: { refusal?: WeirError } = {};
  const claim = createClaim({
    db,
    now,
    secretKey,
    openSecrets: (tenantId, names) => openSecrets(db.client, secretKey, tenantId, names),
    downloads: async () => {
      if (storage.refusal !== undefined) throw storage.refusal;
      return { source: null, inputs: [], checkpoint: [] };
    },
    givesWholeMachines: () => false,
    stop,
    timing,
  });
  const heartbeat = createHeartbeat({ db, now, leaseMs: timing.leaseMs });
  const report = createReport({ db, now, wakeSettle: wake('settle') });

  return {
    db,
    provider,
    woken,
    errors,
    storage,
    now,
    advance: (seconds: number) => void (nowMs += seconds * 1000),
    cycle: createCycle({
      db,
      now,
      capacities: async () => new Map([[provider.name, await provider.capacity()]]),
      petaflopsPerAccelerator: () => 1,
      tenantUses,
      soleTenants: soleTenancy.read,
      occupy: soleTenancy.occupy,
      reserve: reserveAll,
      preempt: createPreempt({ db, now, wakeSettle: wake('settle') }),
      record: createRecord({ db, now }),
      onError: (error) => void errors.push(error),
      wakeLaunch: ({ id }) => wake('launch')(id),
      bootMs: timing.bootMs,
    }),
    launch: createLaunch({
      db,
      now,
      provider: () => provider,
      stop,
      onError: (error) => void errors.push(error),
      secretKey,
      installation: 'inl',
      brokerUrl: 'http://weir.test',
    }),
    settle: createSettle({
      db,
      now,
      provider: () => provider,
      limits,
      accrue,
      refund: refundUse,
      release,
      promote,
      lastCheckpointAt,
      insertDue,
      wakeCalibrate: wake('calibrate'),
      wakeAgain: wake('settle'),
      wakeDispatch: () => undefined,
      retryBackoffMs,
    }),
    sweep: createSweep({
      db,
      providers: [provider],
      limits,
      meter: createMeter({
        db,
        now,
        accrue,
        held: heldBy,
        budgetLeft: createBudgetLeft({ policies: currentPolicies, lockTenants, committed: committedByTenant }),
        reserve,
        wakeSettle: wake('settle'),
      }),
      announce: createAnnounce({ db, now }),
      wakeDispatch: () => undefined,
      wakeLaunch: ({ id }) => wake('launch')(id),
      wakeSettle: wake('settle'),
      onError: (error) => void errors.push(error),
    }),
    cancel: (jobId: string) => cancel(jobId, { actor: 'key_of_its_tenant', isOperator: false }),
    tend: createTend({ db, now, cancel, onError: (error) => void errors.push(error) }),
    claim: (bootstrapToken: string, token: string) =>
      claim({
        bootstrapToken,
        token,
        address: '10.0.0.1',
        port: 4000,
        host: { hostname: 'h', cpus: 1, memoryBytes: 1, gpus: [] },
      }),
    heartbeat,
    report,
    /** As the routes do it: past the fence, then the verb. */
    beat: async (
      token: string,
      attempt: number,
      stage: Heartbeat['stage'] = 'preparing',
      progress?: NonNullable<Heartbeat['progress']>,
    ) =>
      heartbeat(await requireRunner(db, token, attempt), {
        attempt,
        stage,
        ...(progress === undefined ? {} : { progress }),
      }),
    end: async (token: string, attempt: number, reason: Report['reason'] = 'completed', exitCode = 1) =>
      report(await requireRunner(db, token, attempt), reportOf(attempt, reason, exitCode)),
  };
}

export function reportOf(attempt: number, reason: Report['reason'] = 'completed', exitCode = 1): Report {
  return {
    attempt,
    reason,
    message: `It ended: ${reason}.`,
    exitCode: reason === 'completed' ? 0 : exitCode,
    lines: 0,
  };
}

/** vitest's `test` with a world of its own. */
export const test = withDatabase.extend<{ world: World }>({
  world: async ({ db }, use) => use(createWorld(db)),
});

/** A tenant with its policy. */
export async function addTenant({ db }: World, policy: Policy = {}): Promise<string> {
  const id = newId('tenant');
  await db.client.tenant.create({ data: { id, name: id } });
  await db.client.policyVersion.create({ data: { tenantId: id, policy, createdBy: 'test' } });
  return id;
}

/** One that the scripted cloud sells, at `hourlyUsd`, expected to take ten minutes. */
function quoteOf(nodes: number): Quote {
  const quote = sampleQuote(newId('quote'));
  const options = quote.options.map((option) => ({
    ...option,
    offer: { ...option.offer, provider: 'scripted', zone: 'z', nodes, hourlyUsd },
    costUsd: { p10: 3, p50: 6, p90: 9 },
  }));
  return { ...quote, options };
}

/** Submits a job. */
export async function addJob({ db, now }: World, tenantId: string, spec: Partial<JobSpec> = {}): Promise<string> {
  const id = newId('job');
  const quote = quoteOf(spec.resources?.nodes ?? 1);
  const whole = { name: 'job', command: 'true', ...spec };
  await insertJobs(db, [
    { id, tenantId, spec: whole, quote: asText(quote), isNewQuote: true, options: quote.options, at: now() },
  ]);
  return id;
}

/** As of one moment, while others go on: read apart, the job could be of one and its attempts of another. */
export function jobOf({ db }: World, id: string) {
  const attempts = { orderBy: { number: 'asc' }, include: { instances: { orderBy: { node: 'asc' } } } } as const;
  return db.client.$transaction((tx) => tx.job.findUniqueOrThrow({ where: { id }, include: { attempts } }), {
    isolationLevel: 'RepeatableRead',
  });
}

/** The job's last attempt with its machines. */
export async function lastAttempt(world: World, jobId: string) {
  const attempt = (await jobOf(world, jobId)).attempts.at(-1);
  if (attempt === undefined) throw new Error(`${jobId} has no attempt`);
  return attempt;
}

export type StartedAttempt = { attemptId: string; number: number; instanceIds: string[]; tokens: string[] };

/** Dispatched, launched and claimed: each machine has its runner. */
export async function startAttempt(world: World, jobId: string): Promise<StartedAttempt> {
  await world.cycle();
  const { id, number, instances } = await lastAttempt(world, jobId);
  const tokens: string[] = [];
  for (const instance of instances) {
    await world.launch(instance.id);
    const token = newToken();
    await world.claim(world.provider.machines.get(instance.name)?.bootstrapToken ?? '', token);
    tokens.push(token);
  }
  return { attemptId: id, number, instanceIds: instances.map((instance) => instance.id), tokens };
}

/** The same, with the job running. */
export async function startRunning(world: World, jobId: string): Promise<StartedAttempt> {
  const started = await startAttempt(world, jobId);
  for (const token of started.tokens) await world.beat(token, started.number);
  return started;
}

/** All rows that any verb may touch, to compare before and after. */
export async function allRows({ db }: World): Promise<Record<string, unknown[]>> {
  const tables = [
    'job',
    'job_event',
    'attempt',
    'instance',
    'ledger_entry',
    'usage_entry',
    'artifact',
    'log_head',
    'log_chunk',
    'quote_residual',
  ];
  const rows: Record<string, unknown[]> = {};
  for (const table of tables) rows[table] = (await db.pool.query(`SELECT * FROM ${table} ORDER BY 1, 2`)).rows;
  return rows;
}

/** What the ledger says of a job, by account. */
export async function accountsOf(
  { db }: World,
  jobId: string,
): Promise<{ available: number; reserved: number; spent: number }> {
  const sums = await db.client.ledgerEntry.groupBy({
    by: ['account'],
    where: { jobId },
    _sum: { amountMicroUsd: true },
  });
  const of = (account: string) => Number(sums.find((row) => row.account === account)?._sum.amountMicroUsd ?? 0);
  return { available: of('available'), reserved: of('reserved'), spent: of('spent') };
}
