import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Policy } from '../../../src/protocol/tenant.ts';
import { createInstallation, type Client, type Installation } from '../../support/service.ts';
import { percentile } from '../summary.ts';
import { withCluster } from './cluster.ts';
import { cpuMs } from '../processes.ts';
import { emulateMachines, runtimeVariable } from './fleet.ts';
import { countLeft, readWaits, type Waits } from './kueue-waits.ts';
import { startFleetService } from './start-fleet-service.ts';

/** Of one class, `perQueue` jobs are submitted to each queue, one each `intervalMs` from the start on. */
type JobClass = {
  name: string;
  perQueue: number;
  intervalMs: number;
  runtimeMs: number;
  /** Kueue's are 50, 100 and 200; weir's go to 100. */
  priority: number;
  cpus: number;
  /** Kueue's mean time to admission. */
  kueueMeanWaitMs: number;
};

export type KueueCase = { cohorts: number; queuesPerCohort: number; classes: readonly JobClass[]; kueueWallMs: number };

/** Each queue is guaranteed so many cores, all lent, and may borrow so many of its cohort's. */
const guaranteed = 20;
const borrowing = 100;

/**
 * Kueue's own scheduler benchmarks, and what it measures in them: kubernetes-sigs/kueue,
 * test/performance/scheduler/configs/{baseline,large-scale}/{generator,rangespec}.yaml, as of August 2026. Cohorts reclaim
 * what they lent from any queue, and inside a queue the higher priority preempts the lower. Kueue writes through a Kubernetes API
 * server, on other machines than this one.
 */
export const kueueCases = {
  kueue: {
    cohorts: 5,
    queuesPerCohort: 6,
    kueueWallMs: 351_116,
    classes: [
      {
        name: 'small',
        perQueue: 350,
        intervalMs: 100,
        runtimeMs: 200,
        priority: 25,
        cpus: 1,
        kueueMeanWaitMs: 215_468,
      },
      {
        name: 'medium',
        perQueue: 100,
        intervalMs: 500,
        runtimeMs: 500,
        priority: 50,
        cpus: 5,
        kueueMeanWaitMs: 76_768,
      },
      {
        name: 'large',
        perQueue: 50,
        intervalMs: 1200,
        runtimeMs: 1000,
        priority: 100,
        cpus: 20,
        kueueMeanWaitMs: 16_501,
      },
    ],
  },
  'kueue-large': {
    cohorts: 10,
    queuesPerCohort: 100,
    kueueWallMs: 1_179_411,
    classes: [
      { name: 'small', perQueue: 35, intervalMs: 60, runtimeMs: 150, priority: 25, cpus: 1, kueueMeanWaitMs: 700_379 },
      {
        name: 'medium',
        perQueue: 11,
        intervalMs: 300,
        runtimeMs: 350,
        priority: 50,
        cpus: 5,
        kueueMeanWaitMs: 256_413,
      },
      {
        name: 'large',
        perQueue: 4,
        intervalMs: 700,
        runtimeMs: 700,
        priority: 100,
        cpus: 20,
        kueueMeanWaitMs: 105_604,
      },
    ],
  },
} as const satisfies Record<string, KueueCase>;

const lookAgainMs = 250;

/** The same with one job in so many of each class, at least one of each: the queues, and what each may hold, stay. */
export function cutKueue(kueue: KueueCase, oneIn: number): KueueCase {
  const classes = kueue.classes.map((job) => ({ ...job, perQueue: Math.ceil(job.perQueue / oneIn) }));
  return { ...kueue, classes };
}

/**
 * What no scheduler could be faster than, were every decision and every start free: whatever arrives from some moment on has to be done
 * by its cohort's cores after that moment, and the last job has to run. Preempted work that is done again comes on top.
 */
export function floorOf({ queuesPerCohort, classes }: KueueCase): number {
  const cores = guaranteed * queuesPerCohort;
  const arrivals = classes.flatMap(({ perQueue, intervalMs, runtimeMs, cpus }) =>
    Array.from({ length: perQueue }, (_, index) => {
      return { atMs: index * intervalMs, runtimeMs, coreMs: cpus * runtimeMs * queuesPerCohort };
    }),
  );
  let coreMsLeft = 0;
  let floorMs = 0;
  for (const { atMs, runtimeMs, coreMs } of arrivals.toSorted((a, b) => b.atMs - a.atMs)) {
    coreMsLeft += coreMs;
    floorMs = Math.max(floorMs, atMs + runtimeMs, atMs + coreMsLeft / cores);
  }
  return floorMs;
}

/** The whole service with an emulated fleet: from the first submission until the last job has ended. */
export function benchKueue(kueue: KueueCase) {
  const queues = kueue.cohorts * kueue.queuesPerCohort;
  return withCluster(async (databaseUrl) => {
    const installation = await createInstallation({ databaseUrl, config: { timing: {} } });
    const service = await startFleetService(installation, guaranteed * queues);
    try {
      emulateMachines(service.child);
      const tenants = await createQueues(installation, kueue);
      const idleMs = await cpuMs(service.child.pid ?? 0);
      const startedAt = performance.now();
      const submission = await submitAll(tenants, kueue.classes, startedAt);
      const waits = await untilAllEnded(databaseUrl);
      const wallMs = performance.now() - startedAt;
      const serviceCpuMsPerJob = ((await cpuMs(service.child.pid ?? 0)) - idleMs) / submission.submitted;
      return { ...outcomeOf(kueue, wallMs, waits), ...submission, serviceCpuMsPerJob };
    } finally {
      await service.end();
      await installation.remove();
    }
  });
}

/** A cohort is an organisation, a queue a team below it. */
export async function createQueues({ operator, tenant }: Installation, kueue: KueueCase): Promise<Client[]> {
  await operator.call('PUT', '/v1/pool/policy', { preemptLowerPriority: true, minRuntime: '0.001s' });
  const setPolicy = async (id: string, policy: Policy) => {
    const { status, body } = await operator.call('PUT', `/v1/tenants/${id}/policy`, policy);
    if (status !== 200) throw new Error(`The policy was answered ${status}: ${JSON.stringify(body)}`);
  };
  const teams: Client[] = [];
  for (let cohort = 0; cohort < kueue.cohorts; cohort += 1) {
    const { id } = await operator.post<{ id: string }>('/v1/tenants', { name: `cohort ${cohort}` });
    await setPolicy(id, { guaranteed: { cpu: guaranteed * kueue.queuesPerCohort }, borrowing: { cpu: 0 } });
    for (let queue = 0; queue < kueue.queuesPerCohort; queue += 1) {
      const team = await tenant(`cohort ${cohort} queue ${queue}`, 'member');
      await setPolicy(team.tenantId, { parent: id, guaranteed: { cpu: guaranteed }, borrowing: { cpu: borrowing } });
      teams.push(team);
    }
  }
  return teams;
}

const connections = 64;

/** Each job at its moment, as far as the connections allow; `lag`: how far behind it was accepted. */
export async function submitAll(tenants: Client[], classes: readonly JobClass[], startedAt: number) {
  const due = classes
    .flatMap((job) =>
      Array.from({ length: job.perQueue }, (_, index) =>
        tenants.map((tenant) => ({ tenant, job, atMs: index * job.intervalMs })),
      ).flat(),
    )
    .toSorted((a, b) => a.atMs - b.atMs);
  const lagsMs: number[] = [];
  const submitNext = async (): Promise<void> => {
    for (let next = due.shift(); next !== undefined; next = due.shift()) {
      const { tenant, job, atMs } = next;
      await sleep(Math.max(0, startedAt + atMs - performance.now()));
      await tenant.submit({
        name: job.name,
        command: 'true',
        env: { [runtimeVariable]: String(job.runtimeMs) },
        resources: { cpus: job.cpus },
        workload: { expectedDuration: `${job.runtimeMs / 1000}s` },
        priority: job.priority,
      });
      lagsMs.push(performance.now() - startedAt - atMs);
    }
  };
  await Promise.all(Array.from({ length: connections }, submitNext));
  return { submitted: lagsMs.length, lagP50Ms: percentile(lagsMs, 0.5), lagP99Ms: percentile(lagsMs, 0.99) };
}

export async function untilAllEnded(databaseUrl: string): Promise<Waits> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    while ((await countLeft(client)) > 0) await sleep(lookAgainMs);
    return await readWaits(client);
  } finally {
    await client.end();
  }
}

function outcomeOf(kueue: KueueCase, wallMs: number, { byClass, preempted, failed }: Waits) {
  const { kueueWallMs } = kueue;
  if (failed > 0) throw new Error(`${failed} jobs did not succeed.`);
  return {
    wallMs,
    kueueWallMs,
    floorMs: floorOf(kueue),
    preempted,
    classes: kueue.classes.map(({ name, kueueMeanWaitMs }) => {
      const { meanWaitMs = NaN, p99WaitMs = NaN } = byClass[name] ?? {};
      return { name, kueueMeanWaitMs, meanWaitMs, p99WaitMs };
    }),
  };
}
