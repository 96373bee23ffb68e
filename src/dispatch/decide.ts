import { backoffObstacles, isOfCapacity, isOfPlace, isSoft, ruleObstacles, shortageObstacles } from './obstacles.ts';
import type { Obstacle } from './obstacles.ts';
import { byTenant, createOrder, type Queues } from './order.ts';
import { createPlaces, type PlaceFor } from './place.ts';
import { createClaims, lostMs, type Claims } from './preempt.ts';
import { createEndings, createReservations, type Reservation, type Reservations } from './reservations.ts';
import type { Choice, QueuedJob, Snapshot } from './snapshot.ts';
import { countStart, openState, type State, type TenantState } from './state.ts';

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
  placeFor: PlaceFor;
  /** By provider, or by quota of one, whose jobs wait for nothing but what there is of it. */
  eligible: Map<string, Set<string>>;
  isLastPass: boolean;
} & Decisions;

/** The same for who goes on counting from it: what starts is counted in the state. One look at every job that waits, in order. */
export function decideRound(state: State, queues: Queues): Decisions {
  const claims = createClaims(state);
  const reservations = createReservations(state, createEndings(state), claims.of);
  const round: Round = {
    state,
    reservations,
    claims,
    placeFor: createPlaces(state, claims, reservations),
    eligible: new Map(),
    isLastPass: false,
    starts: [],
    preemptions: [],
    waits: [],
  };
  const deferred = pass(claimAgain(queues, round), round);
  // 11 What only a soft ceiling holds back comes after all others have had their turn.
  if (deferred.size > 0) pass(deferred, { ...round, isLastPass: true });
  claims.release();
  const { starts, preemptions, waits } = round;
  return { starts, preemptions, waits: withPositions(waits, queues) };
}

/** 9 What others free for a job is its own: such jobs are looked at before all others. Answers those that still take their turn. */
function claimAgain(queues: Queues, round: Round): Queues {
  const claimants: Queues = new Map();
  for (const [id, queue] of queues) {
    const own = queue.filter(({ hasClaim }) => hasClaim);
    if (own.length > 0) claimants.set(id, own);
  }
  if (claimants.size === 0) return queues;
  const settled = new Set<string>();
  eachTurn(claimants, round, (job, tenant) => {
    const looked = look(job, tenant, round);
    if (looked.start !== undefined) begin(looked.start, job, tenant, round);
    else if (!waitForClaim(looked, job, tenant, round)) return;
    settled.add(job.id);
  });
  return new Map([...queues].map(([id, queue]) => [id, queue.filter((job) => !settled.has(job.id))]));
}

/** Answers those that a soft ceiling keeps from starting, and nothing else but that there is no place. */
function pass(queues: Queues, round: Round): Queues {
  const deferred: Queues = new Map();
  eachTurn(queues, round, (job, tenant) => {
    const looked = look(job, tenant, round);
    if (looked.start !== undefined) begin(looked.start, job, tenant, round);
    else if (!round.isLastPass && isDeferred(looked)) append(deferred, tenant.id, job);
    else wait(looked, job, tenant, round);
  });
  return deferred;
}

function eachTurn(queues: Queues, { state }: Round, take: (job: QueuedJob, tenant: TenantState) => void): void {
  const order = createOrder(queues, state);
  for (let turn = order.next(); turn !== undefined; turn = order.next()) {
    take(turn.job, turn.tenant);
    order.advance();
  }
}

function append(queues: Queues, tenantId: string, job: QueuedJob): void {
  const known = queues.get(tenantId);
  if (known === undefined) queues.set(tenantId, [job]);
  else known.push(job);
}

/** What keeps the job from each of its choices; none where `start` is set. `isEased`: a soft ceiling is left out, as nobody waits. */
type Tried = { choice: Choice; obstacles: Obstacle[]; isEased: boolean };
type Looked = { start?: Pick<Start, 'choice' | 'gpus'>; tried: Tried[] };

function look(job: QueuedJob, tenant: TenantState, round: Round): Looked {
  const backoff = backoffObstacles(job, round.state);
  const tried: Looked['tried'] = [];
  for (const choice of job.choices) {
    const ruled = [
      ...backoff,
      ...shortageObstacles(choice, round.state),
      ...ruleObstacles(choice, tenant, round.state),
    ];
    const isEased = ruled.some(isSoft) && isSoftPast(job, choice, tenant, round);
    const obstacles = isEased ? ruled.filter((obstacle) => !isSoft(obstacle)) : ruled;
    const { gpus, lacking } = round.placeFor(choice, tenant);
    obstacles.push(...lacking);
    if (gpus !== undefined && obstacles.length === 0) return { start: { choice, gpus }, tried };
    tried.push({ choice, obstacles, isEased });
  }
  return { tried };
}

/** Others have had their turn, and what was freed for the job was not theirs. */
function isSoftPast({ hasClaim }: QueuedJob, choice: Choice, tenant: TenantState, round: Round): boolean {
  return hasClaim === true || (round.isLastPass && !doOthersWait(choice, tenant, round));
}

function doOthersWait({ provider, takes = {} }: Choice, { id }: TenantState, { eligible }: Round): boolean {
  return [provider, ...Object.keys(takes).map((quota) => `${provider} ${quota}`)].some((key) => {
    const waiting = eligible.get(key);
    return waiting !== undefined && (waiting.size > 1 || !waiting.has(id));
  });
}

function isDeferred({ tried }: Looked): boolean {
  return tried.some(
    ({ obstacles }) => obstacles.some(isSoft) && obstacles.every((each) => isSoft(each) || isOfPlace(each)),
  );
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
  for (const { choice, obstacles, isEased } of tried)
    if (!isEased && obstacles.every((obstacle) => isOfCapacity(obstacle) || obstacle.is === 'reservation'))
      markEligible(keyOf(choice, obstacles), choice, tenant, round);
  if (waitForClaim({ tried }, job, tenant, round)) return;
  round.waits.push({ ...shared, blockers: fewest.obstacles, reserved: reserve(tried, job, tenant, round) });
}

function waitForClaim({ tried }: Looked, job: QueuedJob, tenant: TenantState, round: Round): boolean {
  const claimed = claimPlace(tried, job, tenant, round);
  if (claimed === undefined) return false;
  round.waits.push({ jobId: job.id, tenantId: tenant.id, position: 0, blockers: claimed, reserved: undefined });
  return true;
}

/** Whoever asks for more than there is waits for nothing that could come. */
function markEligible(key: string, choice: Choice, tenant: TenantState, { eligible, reservations }: Round): void {
  const known = eligible.get(key);
  if (known?.has(tenant.id) === true || !reservations.couldEver(choice, tenant)) return;
  eligible.set(key, (known ?? new Set()).add(tenant.id));
}

/** Whoever waits for one quota of a provider does not wait for all that it has. */
function keyOf({ provider }: Choice, obstacles: Obstacle[]): string {
  const quota = obstacles.find((obstacle) => obstacle.is === 'account-quota');
  return quota === undefined ? provider : `${provider} ${quota.id}`;
}

/** 9 Where other jobs may be asked to make way: those that lose least are, and the place is claimed. */
function claimPlace(tried: Tried[], job: QueuedJob, tenant: TenantState, round: Round): Obstacle[] | undefined {
  const open = tried.filter(({ obstacles }) => obstacles.every(isOfPlace));
  // Nobody is asked where what ends already makes room at another choice.
  for (const mayAsk of [false, true])
    for (const { choice } of open) {
      const leaving = round.claims.makeRoom(job, tenant, choice, mayAsk);
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

/** 7 Of the choices that lack only what running jobs give back, the first that can be reserved. */
function reserve(
  tried: Tried[],
  job: QueuedJob,
  tenant: TenantState,
  { reservations }: Round,
): Reservation | undefined {
  for (const { choice, obstacles } of tried) {
    if (!obstacles.every(isOfPlace)) continue;
    const reservation = reservations.reserve(job, tenant, choice, obstacles);
    if (reservation !== undefined) return reservation;
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
