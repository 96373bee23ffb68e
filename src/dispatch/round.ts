import type { Decisions, Start } from './decisions.ts';
import { backoffObstacles, isOfCapacity, isOfPlace, isSoft, ruleObstacles, shortageObstacles } from './obstacles.ts';
import type { Obstacle } from './obstacles.ts';
import { createPlaces, type PlaceFor } from './place.ts';
import { createClaims, lostMs, type Claims } from './preempt.ts';
import { createEndings, createReservations, type Reservation, type Reservations } from './reservations.ts';
import type { Choice, QueuedJob } from './snapshot.ts';
import { countStart, type State, type TenantState } from './state.ts';

/** What a round of decisions has come to so far. */
export type Round = {
  state: State;
  reservations: Reservations;
  /** By job, what was reserved before anybody's turn. */
  held: Map<string, Reservation>;
  claims: Claims;
  placeFor: PlaceFor;
  /** By provider, or by quota of one, whose jobs wait for nothing but what there is of it. */
  eligible: Map<string, Set<string>>;
  isLastPass: boolean;
} & Decisions;

export function openRound(state: State): Round {
  const claims = createClaims(state);
  const reservations = createReservations(state, createEndings(state), claims.of);
  return {
    state,
    reservations,
    held: new Map(),
    claims,
    placeFor: createPlaces(state, claims, reservations),
    eligible: new Map(),
    isLastPass: false,
    starts: [],
    preemptions: [],
    waits: [],
  };
}

/** What keeps the job from each of its choices; none where `start` is set. `isEased`: a soft ceiling is left out, as nobody waits. */
type Tried = { choice: Choice; obstacles: Obstacle[]; isEased: boolean };
type Looked = { start?: Pick<Start, 'choice' | 'gpus'>; tried: Tried[] };

export function look(job: QueuedJob, tenant: TenantState, round: Round): Looked {
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
    const { gpus, lacking } = round.placeFor(job, tenant, choice);
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

export function isDeferred({ tried }: Looked): boolean {
  return tried.some(
    ({ obstacles }) => obstacles.some(isSoft) && obstacles.every((each) => isSoft(each) || isOfPlace(each)),
  );
}

export function begin(
  { choice, gpus }: Pick<Start, 'choice' | 'gpus'>,
  job: QueuedJob,
  tenant: TenantState,
  round: Round,
): void {
  const { state, reservations, starts } = round;
  starts.push({ jobId: job.id, tenantId: tenant.id, choice, gpus });
  reservations.drop(job.id);
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

export function wait({ tried }: Looked, job: QueuedJob, tenant: TenantState, round: Round): void {
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
  round.waits.push({
    ...shared,
    blockers: fewest.obstacles,
    reserved: round.held.get(job.id) ?? reserve(tried, job, tenant, round),
  });
}

export function waitForClaim({ tried }: Looked, job: QueuedJob, tenant: TenantState, round: Round): boolean {
  const claimed = claimPlace(tried, job, tenant, round);
  if (claimed === undefined) return false;
  round.reservations.drop(job.id);
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
export function reserve(
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
