import type { Decisions, Wait } from './decisions.ts';
import { isGuaranteedWithin } from './exceeded.ts';
import { byTenant, createOrder, type Queues } from './order.ts';
import { begin, isDeferred, look, openRound, reserve, wait, waitForClaim, type Round } from './round.ts';
import type { QueuedJob, Snapshot } from './snapshot.ts';
import { openState, type State, type TenantState } from './state.ts';

/**
 * Which queued job starts where, and which running one makes way: a pure function of a snapshot. No clock, no database, no
 * provider: the same function schedules, explains and simulates. docs/dispatch.md has its rules under the numbers used in the code.
 */
export function decide(snapshot: Snapshot): Decisions {
  return decideRound(openState(snapshot), byTenant(snapshot.queued));
}

/** The same for who goes on counting from it: what starts is counted in the state. One look at every job that waits, in order. */
export function decideRound(state: State, queues: Queues): Decisions {
  const round = openRound(state);
  const deferred = pass(holdAgain(claimAgain(queues, round), round), round);
  // 11 What only a soft ceiling holds back comes after all others have had their turn.
  if (deferred.size > 0) pass(deferred, { ...round, isLastPass: true });
  round.claims.release();
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

/**
 * 7 What a job had reserved it reserves again before all others, and it starts when that is there: whose turn it is changes with each
 * start, and else a gang would lose what it waits for to others' long jobs, again and again. Only the first of its tenant's queue, and
 * none before those who wait for what they are guaranteed. Answers those that still take their turn.
 */
function holdAgain(queues: Queues, round: Round): Queues {
  const { now, tenants } = round.state;
  const firsts = [...queues.values()].flatMap((queue) => queue.find(({ notBefore }) => notBefore <= now) ?? []);
  const holders = firsts.filter(({ hasReservation }) => hasReservation);
  if (holders.length === 0) return queues;
  const guaranteed = firsts.filter((job) => isGuaranteedNext(job, round));
  const started = new Set<string>();
  for (const job of holders.toSorted((a, b) => a.queuedAt - b.queuedAt || (a.id < b.id ? -1 : 1))) {
    const tenant = tenants.get(job.tenantId);
    if (tenant === undefined) continue;
    const { start, tried } = look(job, tenant, round);
    if (start === undefined) {
      const reserved = reserve(tried, job, tenant, round);
      if (reserved !== undefined) round.held.set(job.id, reserved);
    } else if (guaranteed.every(({ id }) => id === job.id)) {
      begin(start, job, tenant, round);
      started.add(job.id);
    }
  }
  return new Map([...queues].map(([id, queue]) => [id, queue.filter(({ id: jobId }) => !started.has(jobId))]));
}

function isGuaranteedNext({ tenantId, choices }: QueuedJob, { state }: Round): boolean {
  const lineage = state.tenants.get(tenantId)?.lineage ?? [];
  return choices.some((choice) => isGuaranteedWithin(lineage, choice));
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
