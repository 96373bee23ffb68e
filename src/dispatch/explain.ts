import { byTenant, decide } from './decide.ts';
import { giveBack } from './place.ts';
import { copyPool, type Pool, type QueuedJob, type RunningJob, type Snapshot } from './snapshot.ts';

export type Eta = { p50: number | null; p90: number | null };

/** Further ahead than this many ends the forecast says nothing: what will have been submitted by then decides more. */
const maxSteps = 200;

/** A forecast takes milliseconds, however much waits: it follows so many jobs at most, and looks at them so often in all. */
const maxJobs = 400;
const maxLooks = 20_000;

/** When each waiting job is expected to start: the same decisions, run forward on predicted durations. */
export function forecast(snapshot: Snapshot): Map<string, Eta> {
  const p50 = runForward(snapshot, 'p50');
  const p90 = runForward(snapshot, 'p90');
  return new Map(snapshot.queued.map(({ id }) => [id, { p50: p50.get(id) ?? null, p90: p90.get(id) ?? null }]));
}

function runForward(snapshot: Snapshot, percentile: 'p50' | 'p90'): Map<string, number> {
  const startsAt = new Map<string, number>();
  let state: Snapshot = { ...snapshot, queued: nextInLine(snapshot.queued) };
  let looks = 0;
  for (let step = 0; step < maxSteps && looks < maxLooks && state.queued.length > 0; step += 1) {
    looks += state.queued.length;
    state = startDecided(state, percentile, startsAt);
    const nextAt = nextChange(state, percentile);
    if (nextAt === undefined) break;
    state = endUntil(state, nextAt, percentile);
  }
  return startsAt;
}

/** The same number of each tenant: those that come first. */
function nextInLine(queued: QueuedJob[]): QueuedJob[] {
  const queues = byTenant(queued);
  const each = Math.max(1, Math.floor(maxJobs / queues.size));
  return [...queues.values()].flatMap((queue) => queue.slice(0, each));
}

/** The snapshot after what can start now has started. */
function startDecided(state: Snapshot, percentile: 'p50' | 'p90', startsAt: Map<string, number>): Snapshot {
  const { starts } = decide(state);
  const started = new Set(starts.map(({ jobId }) => jobId));
  for (const { jobId } of starts) startsAt.set(jobId, state.now);
  const priorities = new Map(state.queued.map(({ id, priority }) => [id, priority]));
  const running = starts.map(({ jobId, tenantId, choice }): RunningJob => {
    const end = state.now + choice.durationMs[percentile];
    return {
      id: jobId,
      tenantId,
      priority: priorities.get(jobId) ?? 0,
      choice,
      startedAt: state.now,
      checkpointedAt: undefined,
      isStopping: false,
      endsAt: { p50: end, p90: end },
    };
  });
  const pools = state.pools.map((pool) => takeAll(pool, running));
  const tenants = state.tenants.map((tenant) => countAll(tenant, running, 1));
  return {
    ...state,
    pools,
    tenants,
    running: [...state.running, ...running],
    queued: state.queued.filter(({ id }) => !started.has(id)),
  };
}

function takeAll(pool: Pool, jobs: RunningJob[]): Pool {
  const left = copyPool(pool);
  for (const { choice } of jobs) {
    if (choice.provider !== pool.provider) continue;
    const { need } = choice;
    left.cpus -= need.cpus * need.nodes;
    left.memoryBytes -= need.memoryBytes * need.nodes;
    left.diskBytes -= need.diskBytes * need.nodes;
    left.gpus.free = left.gpus.free.slice(need.gpus.count * need.nodes);
  }
  return left;
}

type TenantUse = Snapshot['tenants'][number];

function countAll(tenant: TenantUse, jobs: RunningJob[], sign: 1 | -1): TenantUse {
  const own = jobs.filter(({ tenantId }) => tenantId === tenant.id);
  const accelerators = { ...tenant.accelerators };
  for (const { choice } of own)
    accelerators[choice.accelerators.kind] =
      (accelerators[choice.accelerators.kind] ?? 0) + sign * choice.accelerators.count;
  return {
    ...tenant,
    accelerators,
    running: tenant.running + sign * own.length,
    petaflops: own.reduce((sum, { choice }) => sum + sign * choice.petaflops, tenant.petaflops),
    // A reservation that ends is taken as spent: a forecast must not promise money back.
    budgetLeft:
      sign === 1 ? own.reduce((left, { choice }) => left - choice.reservation, tenant.budgetLeft) : tenant.budgetLeft,
    decayedUse:
      sign === 1
        ? own.reduce((sum, { choice }) => sum + (choice.petaflops * choice.durationMs.p50) / 1000, tenant.decayedUse)
        : tenant.decayedUse,
  };
}

function nextChange(state: Snapshot, percentile: 'p50' | 'p90'): number | undefined {
  const ends = state.running.map(({ endsAt }) => Math.max(endsAt[percentile], state.now + 1));
  const backoffs = state.queued.map(({ notBefore }) => notBefore).filter((at) => at > state.now);
  const times = [...ends, ...backoffs];
  return times.length === 0 ? undefined : Math.min(...times);
}

function endUntil(state: Snapshot, now: number, percentile: 'p50' | 'p90'): Snapshot {
  const ended = state.running.filter(({ endsAt }) => endsAt[percentile] <= now);
  const pools = state.pools.map((pool) => {
    const left = copyPool(pool);
    for (const { choice } of ended) if (choice.provider === pool.provider) giveBack(left, choice);
    return left;
  });
  const tenants = state.tenants.map((tenant) => countAll(tenant, ended, -1));
  return { ...state, now, pools, tenants, running: state.running.filter((job) => !ended.includes(job)) };
}
