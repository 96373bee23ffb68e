import { createKept, type Kept } from './kept.ts';
import { anyKind, minus, plus, roomOf, takenBy, type Room } from './room.ts';
import type { Choice, Concentration, Pool, PoolQuota, PoolRules, RunningJob, Snapshot, TenantUse } from './snapshot.ts';

/** What rounds of decisions change as they go: a snapshot's figures, counted on with each start and each end. */
export type State = {
  now: number;
  pools: Map<string, PoolState>;
  tenants: Map<string, TenantState>;
  running: Map<string, RunningJob>;
  rules: PoolRules;
  concentration: Concentration | undefined;
  /** Petaflop-seconds committed by starts since the snapshot. */
  startedUse: number;
  /** By shortage, until when one job tries whether it is over. */
  probes: Map<string, number>;
  kept: Kept;
};

/** `lineage`: itself, then each above it. */
export type TenantState = TenantUse & { lineage: TenantState[] };

/**
 * `freeGpus`: the indexes of those that `room` counts. A pool that never runs out has every kind, named '', and no indexes. `quotas`: the
 * limits of the account by their ids, as they are but for what is free, which `room` counts.
 */
export type PoolState = {
  provider: string;
  gpuKind: string;
  room: Room;
  freeGpus: number[];
  quotas: ReadonlyMap<string, PoolQuota>;
  wholeKinds: ReadonlySet<string>;
};

export function openState({ now, pools, tenants, running, rules }: Snapshot): State {
  const states = new Map(tenants.map((tenant) => [tenant.id, copyTenant(tenant)]));
  for (const state of states.values()) state.lineage = lineageOf(state, states);
  for (const state of states.values()) state.parent = state.lineage[1]?.id;
  return {
    now,
    pools: new Map(pools.map((pool) => [pool.provider, openPool(pool)])),
    tenants: states,
    running: new Map(running.map((job) => [job.id, job])),
    rules,
    concentration: rules.concentration && { ...rules.concentration },
    startedUse: 0,
    probes: new Map(),
    kept: createKept([...states.values()]),
  };
}

function copyTenant(tenant: TenantUse): TenantState {
  const { accelerators, shareCap } = tenant;
  return { ...tenant, accelerators: { ...accelerators }, shareCap: shareCap && { ...shareCap }, lineage: [] };
}

function lineageOf(tenant: TenantState, tenants: Map<string, TenantState>): TenantState[] {
  const lineage: TenantState[] = [];
  let next: TenantState | undefined = tenant;
  while (next !== undefined && !lineage.includes(next)) {
    lineage.push(next);
    next = next.parent === undefined ? undefined : tenants.get(next.parent);
  }
  return lineage;
}

function openPool(pool: Pool): PoolState {
  const { provider, gpus, quotas = [], wholeKinds = [] } = pool;
  return {
    provider,
    gpuKind: gpus.kind,
    room: roomOf(pool),
    freeGpus: [...gpus.free],
    quotas: new Map(quotas.map((quota) => [quota.id, quota])),
    wholeKinds: new Set(wholeKinds),
  };
}

/** Whether the quotas would have enough for a start, were nothing else of weir's up. */
export function couldEverTake({ quotas }: PoolState, { takes = {} }: Choice): boolean {
  for (const id in takes) if ((takes[id] ?? 0) > (quotas.get(id)?.most ?? Infinity)) return false;
  return true;
}

/** How much of a kind is in room of the pool: of a cloud what its quotas say, if all of that kind are known. */
export function amountOfKind({ quotas, wholeKinds }: PoolState, room: Room, kind: string): number {
  if (!wholeKinds.has(kind)) return kind === 'cpu' ? room.cpus : room.gpus;
  let amount = 0;
  for (const { id, kind: of } of quotas.values()) if (of === kind) amount += Math.max(0, room.quotas[id] ?? 0);
  return amount;
}

/** What a job is expected to use in all, in petaflop-seconds: its entry charge. */
export function entryOf({ petaflops, durationMs }: Choice): number {
  return (petaflops * durationMs.p50) / 1000;
}

/** Counts a job that starts: its machine, its tenant's limits and money, and all that it is expected to use. */
export function countStart(state: State, job: RunningJob, gpus: number[][]): void {
  const { choice } = job;
  state.running.set(job.id, job);
  takeRoom(state.pools.get(choice.provider), choice, gpus);
  const tenant = state.tenants.get(job.tenantId);
  if (tenant === undefined) return;
  countOwnUse(state, tenant, choice, 1);
  const entry = entryOf(choice);
  state.startedUse += entry;
  if (state.concentration !== undefined) state.concentration.poolPetaflopSeconds += entry;
}

/** All that a start counts against of its tenant's: not its machine, nor the pool's use, of which the shares of the others are parts. */
export function countOwnUse(state: State, tenant: TenantState, choice: Choice, sign: 1 | -1): void {
  countMachines(state, tenant, choice, sign);
  const entry = sign * entryOf(choice);
  tenant.ownDecayedUse += entry;
  for (const each of tenant.lineage) {
    each.budgetLeft -= sign * choice.reservation;
    each.decayedUse += entry;
    if (each.shareCap !== undefined) each.shareCap.ownPetaflopSeconds += entry;
  }
  countConcentration(state.concentration, tenant, entry);
}

/** Counts a job that has ended: what it was expected to use stays used, and its reservation is taken as spent. */
export function countEnd(state: State, jobId: string): void {
  const job = state.running.get(jobId);
  if (job === undefined) return;
  state.running.delete(jobId);
  giveRoom(state.pools.get(job.choice.provider), job.choice);
  const tenant = state.tenants.get(job.tenantId);
  if (tenant !== undefined) countMachines(state, tenant, job.choice, -1);
}

function countMachines({ kept }: State, { lineage }: TenantState, choice: Choice, sign: 1 | -1): void {
  const { kind, count } = choice.accelerators;
  for (const each of lineage) {
    each.running += sign;
    each.petaflops += sign * choice.petaflops;
    each.accelerators[kind] = (each.accelerators[kind] ?? 0) + sign * count;
  }
  kept.recount(lineage, kind);
}

function countConcentration(concentration: Concentration | undefined, tenant: TenantState, entry: number): void {
  const before = tenant.windowUse;
  tenant.windowUse += entry;
  if (concentration === undefined) return;
  concentration.squaredPetaflopSeconds += tenant.windowUse ** 2 - before ** 2;
}

function takeRoom(pool: PoolState | undefined, choice: Choice, gpus: number[][]): void {
  if (pool === undefined) return;
  pool.room = minus(pool.room, takenBy(choice));
  const taken = new Set(gpus.flat());
  if (taken.size > 0) pool.freeGpus = pool.freeGpus.filter((index) => !taken.has(index));
}

function giveRoom(pool: PoolState | undefined, choice: Choice): void {
  if (pool === undefined) return;
  pool.room = plus(pool.room, takenBy(choice));
  if (pool.gpuKind === anyKind) return;
  // Which GPU comes back does not matter to who counts on from a snapshot, only how many.
  const { gpus, nodes } = choice.need;
  for (let back = gpus.count * nodes; back > 0; back -= 1) pool.freeGpus.push(-1 - pool.freeGpus.length);
}
