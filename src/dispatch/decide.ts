import { isGuaranteed, isGuaranteedWithin, type Exceeded } from './exceeded.ts';
import { backoffObstacles, isSoft, ruleObstacles, shortageObstacles, type Obstacle } from './obstacles.ts';
import { byTenant, createOrder, type Queues } from './order.ts';
import { place } from './place.ts';
import { createClaims, lostMs, type Claims } from './preempt.ts';
import { createReservations, createRunningOf, type Reservation, type Reservations } from './reservations.ts';
import { isWithin, shortQuota, takenBy } from './room.ts';
import type { Choice, QueuedJob, Snapshot } from './snapshot.ts';
import { countStart, freeOfKind, openState, type State, type TenantState } from './state.ts';

export type Start = {
  jobId: string;
  tenantId: string;
  choice: Choice;
  /** For each node, the indexes of its GPUs. */ gpus: number[][];
};

export type Wait = {
  jobId: string;
  tenantId: string;
  /** In its tenant's queue, from 1. */
  position: number;
  blockers: Obstacle[];
  /** Set where it holds the time of its start. */
  reserved: Reservation | undefined;
};

/** A running job that makes way: it gets notice and its grace, and goes back to its place in the queue. */
export type Preemption = {
  jobId: string;
  tenantId: string;
  attempt: number;
  /** The job that gets its place. */
  forJobId: string;
  forTenantId: string;
  /** Of its run so far, what no checkpoint holds. */
  lostMs: number;
};

export type Decisions = { starts: Start[]; preemptions: Preemption[]; waits: Wait[] };

/**
 * Which queued job starts where, and which running one makes way: a pure function of a snapshot. No clock, no database, no
 * provider: the same function schedules, explains and simulates. docs/dispatch.md has its rules under the numbers used in the code.
 */
export function decide(snapshot: Snapshot): Decisions {
  return decideRound(openState(snapshot), byTenant(snapshot.queued));
}

type Round = {
  state: State;
  reservations: Reservations;
  claims: Claims;
  /** By provider, or by quota of one, whose jobs wait for nothing but what there is of it. */
  eligible: Map<string, Set<string>>;
  isLastPass: boolean;
} & Decisions;

/** The same for who goes on counting from it: what starts is counted in the state. One look at every job that waits, in order. */
export function decideRound(state: State, queues: Queues): Decisions {
  const round: Round = {
    state,
    reservations: createReservations(state, createRunningOf(state)),
    claims: createClaims(state),
    eligible: new Map(),
    isLastPass: false,
    starts: [],
    preemptions: [],
    waits: [],
  };
  const deferred = pass(queues, round);
  // 11 What only a soft ceiling holds back comes after all others have had their turn.
  if (deferred.size > 0) pass(deferred, { ...round, isLastPass: true });
  const { starts, preemptions, waits } = round;
  return { starts, preemptions, waits: withPositions(waits, queues) };
}

/** Answers those that only a soft ceiling keeps from starting. */
function pass(queues: Queues, round: Round): Queues {
  const deferred: Queues = new Map();
  const order = createOrder(queues, round.state);
  for (let turn = order.next(); turn !== undefined; turn = order.next()) {
    const { tenant, job } = turn;
    const looked = look(job, tenant, round);
    if (looked.start !== undefined) begin(looked.start, job, tenant, round);
    else if (!round.isLastPass && isDeferred(looked)) append(deferred, tenant.id, job);
    else wait(looked, job, tenant, round);
    order.advance();
  }
  return deferred;
}

function append(queues: Queues, tenantId: string, job: QueuedJob): void {
  const known = queues.get(tenantId);
  if (known === undefined) queues.set(tenantId, [job]);
  else known.push(job);
}

/** What keeps the job from each of its choices; none where `start` is set. */
type Looked = { start?: Pick<Start, 'choice' | 'gpus'>; tried: { choice: Choice; obstacles: Obstacle[] }[] };

function look(job: QueuedJob, tenant: TenantState, round: Round): Looked {
  const backoff = backoffObstacles(job, round.state);
  const tried: Looked['tried'] = [];
  for (const choice of job.choices) {
    const obstacles = [
      ...backoff,
      ...shortageObstacles(choice, round.state),
      ...ruleObstacles(choice, tenant, round.state),
    ].filter((obstacle) => !(round.isLastPass && isSoft(obstacle) && !doOthersWait(choice, tenant, round)));
    const gpus = placeFor(choice, tenant, round, obstacles);
    if (gpus !== undefined && obstacles.length === 0) return { start: { choice, gpus }, tried };
    tried.push({ choice, obstacles });
  }
  return { tried };
}

function placeFor(choice: Choice, tenant: TenantState, round: Round, obstacles: Obstacle[]): number[][] | undefined {
  const { state, claims, reservations } = round;
  const { provider, need } = choice;
  const pool = state.pools.get(provider);
  const wanted = takenBy(choice);
  const room = claims.unclaimed(provider);
  const gpus = pool !== undefined && isWithin(wanted, room) ? place(need, pool) : undefined;
  if (gpus === undefined) {
    const short = shortQuota(wanted, room);
    obstacles.push(
      short === undefined
        ? { code: 'capacity', is: 'capacity', provider, need, isComing: false }
        : accountQuotaObstacle(choice, short, room.quotas[short] ?? 0),
    );
    return undefined;
  }
  const kept = keptFrom(choice, tenant, state);
  if (kept !== undefined) obstacles.push(kept);
  const reservation = reservations.delayedBy(choice, tenant);
  if (reservation !== undefined) obstacles.push({ code: 'reservation', is: 'reservation', ...reservation });
  return gpus;
}

/** 14 The operator's account with a provider has limits: what is left of each is capacity like any other. */
function accountQuotaObstacle(choice: Choice, id: string, free: number): Obstacle {
  const { provider, takes } = choice;
  return { code: 'quota', is: 'account-quota', provider, id, wanted: takes?.[id] ?? 0, free, choice };
}

/** 6 Of a guarantee, what its tenant does not lend stays free for it. Whoever is within its own, and its organisation too, may come to it. */
function keptFrom(choice: Choice, tenant: TenantState, { pools, kept }: State): Obstacle | undefined {
  const { provider, need, accelerators } = choice;
  const pool = pools.get(provider);
  if (pool === undefined) return undefined;
  if (isGuaranteed(tenant, choice) && isGuaranteedWithin(tenant.lineage, choice)) return undefined;
  const takes = [
    { kind: accelerators.kind, wanted: accelerators.count, free: freeOfKind(pool, accelerators.kind) },
    ...(need.gpus.count > 0 ? [{ kind: 'cpu', wanted: need.cpus * need.nodes, free: pool.room.cpus }] : []),
  ];
  for (const { kind, wanted, free } of takes) {
    const ofOthers = kept.forOthers(tenant.lineage, kind);
    if (ofOthers > 0 && free - wanted < ofOthers)
      return { code: 'quota', is: 'kept', provider, kind, wanted, kept: ofOthers, free };
  }
  return undefined;
}

function doOthersWait({ provider, takes = {} }: Choice, { id }: TenantState, { eligible }: Round): boolean {
  return [provider, ...Object.keys(takes).map((quota) => `${provider} ${quota}`)].some((key) => {
    const waiting = eligible.get(key);
    return waiting !== undefined && (waiting.size > 1 || !waiting.has(id));
  });
}

function isDeferred({ tried }: Looked): boolean {
  return tried.some(({ obstacles }) => obstacles.every(isSoft));
}

function begin(
  { choice, gpus }: Pick<Start, 'choice' | 'gpus'>,
  job: QueuedJob,
  tenant: TenantState,
  round: Round,
): void {
  const { state, reservations, starts } = round;
  starts.push({ jobId: job.id, tenantId: tenant.id, choice, gpus });
  reservations.count(choice, tenant);
  if (choice.shortage !== undefined) state.probes.set(choice.shortage.id, state.now + probeMs);
  const running = {
    id: job.id,
    tenantId: tenant.id,
    attempt: 0,
    priority: job.priority,
    queuedAt: job.queuedAt,
    choice,
    startedAt: state.now,
    checkpointedAt: undefined,
    isStopping: false,
    endsAt: { p50: state.now + choice.durationMs.p50, p90: state.now + choice.durationMs.p90 },
  };
  countStart(state, running, gpus);
}

/** So long others wait for what comes of one job's try. */
const probeMs = 60_000;

function wait({ tried }: Looked, job: QueuedJob, tenant: TenantState, round: Round): void {
  const fewest = tried.reduce<Looked['tried'][number] | undefined>(
    (best, each) => (best === undefined || each.obstacles.length < best.obstacles.length ? each : best),
    undefined,
  );
  const shared = { jobId: job.id, tenantId: tenant.id, position: 0 };
  if (fewest === undefined) {
    round.waits.push({ ...shared, blockers: [{ code: 'capacity', is: 'closed' }], reserved: undefined });
    return;
  }
  for (const { choice, obstacles } of tried)
    if (obstacles.every((obstacle) => isOfCapacity(obstacle) || obstacle.is === 'reservation'))
      markEligible(keyOf(choice, obstacles), tenant, round);
  const claimed = claimPlace(tried, job, tenant, round);
  if (claimed !== undefined) {
    round.waits.push({ ...shared, blockers: claimed, reserved: undefined });
    return;
  }
  round.waits.push({ ...shared, blockers: fewest.obstacles, reserved: reserve(tried, job, round) });
}

function markEligible(key: string, { id }: TenantState, { eligible }: Round): void {
  eligible.set(key, (eligible.get(key) ?? new Set()).add(id));
}

/** Whoever waits for one quota of a provider does not wait for all that it has. */
function keyOf({ provider }: Choice, obstacles: Obstacle[]): string {
  const quota = obstacles.find((obstacle) => obstacle.is === 'account-quota');
  return quota === undefined ? provider : `${provider} ${quota.id}`;
}

const isOfCapacity = ({ is }: Obstacle) => is === 'capacity' || is === 'account-quota';
const isOfPlace = (obstacle: Obstacle) => isOfCapacity(obstacle) || obstacle.is === 'limit';

/** 9 Where other jobs may be asked to make way: those that lose least are, and the place is claimed. */
function claimPlace(tried: Looked['tried'], job: QueuedJob, tenant: TenantState, round: Round): Obstacle[] | undefined {
  for (const { choice, obstacles } of tried) {
    if (!obstacles.every(isOfPlace)) continue;
    const leaving = round.claims.makeRoom(job, tenant, choice);
    if (leaving === undefined) continue;
    for (const each of leaving)
      round.preemptions.push({
        jobId: each.id,
        tenantId: each.tenantId,
        attempt: each.attempt,
        forJobId: job.id,
        forTenantId: tenant.id,
        lostMs: lostMs(each, round.state.now),
      });
    return [{ code: 'capacity', is: 'capacity', provider: choice.provider, need: choice.need, isComing: true }];
  }
  return undefined;
}

/** 7 Of the choices that lack only capacity, or only a limit that running jobs give back, the first that can be reserved. */
function reserve(tried: Looked['tried'], job: QueuedJob, { reservations }: Round): Reservation | undefined {
  for (const { choice, obstacles } of tried) {
    if (obstacles.every(isOfCapacity)) {
      const reservation = reservations.reserveRoom(job, choice);
      if (reservation !== undefined) return reservation;
    }
    const passed = obstacles.filter((obstacle): obstacle is Exceeded => obstacle.is === 'limit');
    if (passed.length > 0 && passed.length === obstacles.length) {
      const reservation = reservations.reserveLimits(job, choice, passed);
      if (reservation !== undefined) return reservation;
    }
  }
  return undefined;
}

/** Among those of its tenant that still wait. */
function withPositions(waits: Wait[], queues: Queues): Wait[] {
  const waiting = new Set(waits.map(({ jobId }) => jobId));
  const positions = new Map<string, number>();
  for (const queue of queues.values()) {
    let position = 0;
    for (const { id } of queue) if (waiting.has(id)) positions.set(id, (position += 1));
  }
  return waits.map((each) => ({ ...each, position: positions.get(each.jobId) ?? 0 }));
}
