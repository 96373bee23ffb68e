import type { Choice, Pool, QueuedJob, RunningJob, Snapshot, TenantUse } from '../../src/dispatch/snapshot.ts';

/** Builders for snapshots: everything has a harmless default, a case names what it is about. */
export const minute = 60_000;

export function choice(
  overrides: Partial<Omit<Choice, 'need'>> & { cpus?: number; gpus?: number; nodes?: number } = {},
): Choice {
  const { cpus = 1, gpus = 0, nodes = 1, ...rest } = overrides;
  return {
    optionId: 'option',
    provider: 'local',
    need: { cpus, memoryBytes: cpus, diskBytes: 0, gpus: { kind: gpus > 0 ? 'H100' : '', count: gpus }, nodes },
    accelerators: gpus > 0 ? { kind: 'H100', count: gpus * nodes } : { kind: 'cpu', count: cpus * nodes },
    petaflops: gpus > 0 ? gpus * nodes : cpus * nodes * 0.0001,
    reservation: 1_000_000,
    durationMs: { p50: 10 * minute, p90: 20 * minute },
    ...rest,
  };
}

export function job(id: string, tenantId: string, overrides: Partial<QueuedJob> = {}): QueuedJob {
  return { id, tenantId, priority: 50, queuedAt: 0, notBefore: 0, choices: [choice()], ...overrides };
}

export function tenant(id: string, overrides: Partial<TenantUse> = {}): TenantUse {
  return {
    id,
    parent: undefined,
    weight: 1,
    decayedUse: 0,
    ownDecayedUse: 0,
    running: 0,
    accelerators: {},
    petaflops: 0,
    caps: { runningJobs: Infinity, accelerators: {}, petaflops: Infinity },
    quotas: {},
    budgetLeft: Infinity,
    shareCap: undefined,
    windowUse: 0,
    ...overrides,
  };
}

export function pool(overrides: Partial<Pool> = {}): Pool {
  return {
    provider: 'local',
    cpus: 4,
    memoryBytes: 1000,
    diskBytes: 1000,
    gpus: { kind: 'none', free: [] },
    ...overrides,
  };
}

export function running(
  id: string,
  tenantId: string,
  endsInMs: number,
  { choice: of = choice(), ...overrides }: Partial<RunningJob> = {},
): RunningJob {
  return {
    id,
    tenantId,
    attempt: 1,
    priority: 50,
    queuedAt: 0,
    choice: of,
    startedAt: 0,
    checkpointedAt: undefined,
    isStopping: false,
    endsAt: { p50: endsInMs, p90: endsInMs },
    ...overrides,
  };
}

export function snapshot(overrides: Partial<Snapshot>): Snapshot {
  const queued = overrides.queued ?? [];
  const tenants = [...new Set(queued.map(({ tenantId }) => tenantId))].map((id) => tenant(id));
  const rules = { minRuntimeMs: 0, preemptsLowerPriority: false, concentration: undefined };
  return { now: 0, pools: [pool()], tenants, queued, running: [], rules, ...overrides };
}
