import { budgetBlockers, capacityBlocker, capBlockers, closedBlocker, shareBlockers } from './blockers.ts';
import { delays, place, reservationBlocker, reserveFor, take, type Reservation } from './place.ts';
import {
  copyState,
  type Blocker,
  type Choice,
  type QueuedJob,
  type Snapshot,
  type State,
  type TenantUse,
} from './snapshot.ts';

export type Start = {
  jobId: string;
  tenantId: string;
  choice: Choice;
  /** For each node, the indexes of its GPUs. */ gpus: number[][];
};

export type Wait = { jobId: string; tenantId: string; position: number; blockers: Blocker[] };

/** A running job that makes way: it gets notice and its grace, and goes back to its place in the queue. */
export type Preemption = {
  jobId: string;
  tenantId: string;
  /** The job that gets its place. */
  forJobId: string;
  /** Of its run so far, what no checkpoint holds. */
  lostMs: number;
};

export type Decisions = { starts: Start[]; preemptions: Preemption[]; waits: Wait[] };

/**
 * Which queued job starts where: a pure function of a snapshot. No clock, no database, no provider: the same function
 * schedules, explains and simulates. docs/dispatch.md has its rules under the numbers used here.
 */
export function decide(snapshot: Snapshot): Decisions {
  const state = copyState(snapshot);
  const queues = byTenant(snapshot.queued);
  const starts: Start[] = [];
  const waits: Wait[] = [];
  let reservation: Reservation | undefined;

  // A start moves its tenant back before the next is asked for; without one the order stays as it is.
  let first: TenantUse | undefined;
  for (;;) {
    first ??= firstInOrder(state, queues);
    const tenant = first;
    if (tenant === undefined) break;
    const job = queues.get(tenant.id)?.shift();
    if (job === undefined) {
      queues.delete(tenant.id);
      first = undefined;
      continue;
    }
    const othersWait = tenant.shareCap !== undefined && doOthersWait(queues, tenant.id);
    const { start, blockers } = tryStart(job, tenant, state, { reservation, othersWait });
    if (start !== undefined) {
      apply(start, job, tenant, state);
      starts.push(start);
      first = undefined;
      continue;
    }
    reservation ??= reserveFor(job, blockers, state);
    waits.push({ jobId: job.id, tenantId: tenant.id, position: waits.length + 1, blockers });
  }
  return { starts, preemptions: [], waits };
}

/** 2 lowest decayed use per weight, in-flight work counted; then by id, so that equal snapshots decide equally. */
function firstInOrder({ tenants }: State, queues: Map<string, QueuedJob[]>): TenantUse | undefined {
  let first: TenantUse | undefined;
  for (const [tenantId, queue] of queues) {
    if (queue.length === 0) continue;
    const tenant = tenants.get(tenantId);
    if (tenant !== undefined && (first === undefined || isBefore(tenant, first))) first = tenant;
  }
  return first;
}

function isBefore(a: TenantUse, b: TenantUse): boolean {
  const difference = a.decayedUse / a.weight - b.decayedUse / b.weight;
  return difference === 0 ? a.id < b.id : difference < 0;
}

/** 3 priority inside the tenant; 4 first come. */
export function byTenant(queued: QueuedJob[]): Map<string, QueuedJob[]> {
  const order = queued.toSorted((a, b) => b.priority - a.priority || a.queuedAt - b.queuedAt || (a.id < b.id ? -1 : 1));
  return Map.groupBy(order, (job) => job.tenantId);
}

function doOthersWait(queues: Map<string, QueuedJob[]>, tenantId: string): boolean {
  return [...queues].some(([id, queue]) => id !== tenantId && queue.length > 0);
}

type Around = { reservation: Reservation | undefined; othersWait: boolean };
type Attempted = { start?: Start; blockers: Blocker[] };

function tryStart(job: QueuedJob, tenant: TenantUse, state: State, { reservation, othersWait }: Around): Attempted {
  if (job.notBefore > state.now) {
    const at = new Date(job.notBefore).toISOString();
    return {
      blockers: [
        { code: 'backoff', message: `The last attempt failed; the next may start at ${at}.`, unblocks: `Time: ${at}.` },
      ],
    };
  }
  if (job.choices.length === 0) return { blockers: [closedBlocker()] };
  let first: Blocker[] | undefined;
  for (const choice of job.choices) {
    const blockers = [
      ...capBlockers(choice, tenant),
      ...budgetBlockers(choice, tenant),
      ...shareBlockers(choice, tenant, othersWait),
    ];
    const placed = place(choice, state.pools.get(choice.provider));
    if (placed === undefined) blockers.push(capacityBlocker(choice, state));
    else if (reservation !== undefined && delays(choice, reservation, state))
      blockers.push(reservationBlocker(reservation));
    if (blockers.length === 0 && placed !== undefined)
      return { start: { jobId: job.id, tenantId: tenant.id, choice, gpus: placed }, blockers };
    first ??= blockers;
  }
  return { blockers: first ?? [] };
}

function apply(
  { choice, gpus }: Start,
  job: QueuedJob,
  tenant: TenantUse,
  { pools, tenants, running, now }: State,
): void {
  const pool = pools.get(choice.provider);
  if (pool !== undefined) take(pool, choice, gpus);
  const { kind, count } = choice.accelerators;
  tenant.running += 1;
  tenant.accelerators[kind] = (tenant.accelerators[kind] ?? 0) + count;
  tenant.petaflops += choice.petaflops;
  tenant.budgetLeft -= choice.reservation;
  // The entry charge: what the job is expected to use counts from its start, so that a burst can't outrun the accounts.
  const entry = (choice.petaflops * choice.durationMs.p50) / 1000;
  tenant.decayedUse += entry;
  if (tenant.shareCap !== undefined) tenant.shareCap.ownPetaflopSeconds += entry;
  for (const { shareCap } of tenants.values()) if (shareCap !== undefined) shareCap.poolPetaflopSeconds += entry;
  running.push({
    id: job.id,
    tenantId: tenant.id,
    priority: job.priority,
    choice,
    startedAt: now,
    checkpointedAt: undefined,
    isStopping: false,
    endsAt: { p50: now + choice.durationMs.p50, p90: now + choice.durationMs.p90 },
  });
}
