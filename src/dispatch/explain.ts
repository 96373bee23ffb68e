import { byTenant, type Queues } from './order.ts';
import { decideRound } from './decide.ts';
import type { Preemption, Wait } from './decisions.ts';
import { latestEnd } from './reservations.ts';
import type { Choice, QueuedJob, RunningJob, Snapshot } from './snapshot.ts';
import { countEnd, openState, type State } from './state.ts';

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
  const later = (id: string) => {
    const [soon, late] = [p50.get(id), p90.get(id)];
    // Longer runs can let a job pass that shorter ones would not have.
    return late === undefined ? null : Math.max(late, soon ?? 0);
  };
  return new Map(snapshot.queued.map(({ id }) => [id, { p50: p50.get(id) ?? null, p90: later(id) }]));
}

function runForward(snapshot: Snapshot, percentile: 'p50' | 'p90'): Map<string, number> {
  const startsAt = new Map<string, number>();
  const state = openState({ ...snapshot, running: snapshot.running.map((job) => expectedLate(job, snapshot.now)) });
  let queues = nextInLine(byTenant(snapshot.queued));
  let looks = 0;
  for (let step = 0; step < maxSteps && looks < maxLooks && queues.size > 0; step += 1) {
    looks += [...queues.values()].reduce((sum, queue) => sum + queue.length, 0);
    const { starts, preemptions, waits } = decideRound(state, queues);
    for (const { jobId } of starts) if (!startsAt.has(jobId)) startsAt.set(jobId, state.now);
    queues = without(queues, new Set(starts.map(({ jobId }) => jobId)));
    const nextAt = preemptions.length > 0 ? state.now + noticeMs : nextChange(state, queues, percentile);
    if (nextAt === undefined) break;
    queues = withReservations(withClaims(withRequeued(queues, state, preemptions), preemptions), waits);
    for (const { jobId } of preemptions) countEnd(state, jobId);
    endUntil(state, nextAt, percentile);
  }
  return startsAt;
}

/** One that has run past its p90 would end at once, were it taken at its word. */
function expectedLate(job: RunningJob, now: number): RunningJob {
  return { ...job, endsAt: { ...job.endsAt, p90: latestEnd(job, now) } };
}

/** About how long a job that is told to make way takes to do so. */
const noticeMs = 30_000;

/** The same number of each tenant: those that come first. */
function nextInLine(queues: Queues): Queues {
  const each = Math.max(1, Math.floor(maxJobs / queues.size));
  return new Map([...queues].map(([id, queue]) => [id, queue.slice(0, each)]));
}

/** Who makes way waits again at its place, with what no checkpoint holds still to do. */
function withRequeued(queues: Queues, { running, now }: State, preemptions: readonly Preemption[]): Queues {
  if (preemptions.length === 0) return queues;
  const again = preemptions.flatMap(({ jobId, lostMs }) => {
    const job = running.get(jobId);
    return job === undefined ? [] : [requeued(job, { now, lostMs })];
  });
  return byTenant([...[...queues.values()].flat(), ...again]);
}

/** What is freed for a job stays its own until it starts. */
function withClaims(queues: Queues, preemptions: readonly Preemption[]): Queues {
  if (preemptions.length === 0) return queues;
  const claimants = new Set(preemptions.map(({ forJobId }) => forJobId));
  const mark = (job: QueuedJob) => (claimants.has(job.id) ? { ...job, hasClaim: true } : job);
  return new Map([...queues].map(([id, queue]) => [id, queue.map(mark)]));
}

/** What is reserved stays so until it is there. */
function withReservations(queues: Queues, waits: readonly Wait[]): Queues {
  const holders = new Set(waits.flatMap(({ jobId, reserved }) => (reserved === undefined ? [] : [jobId])));
  const mark = (job: QueuedJob) =>
    holders.has(job.id) === (job.hasReservation === true) ? job : { ...job, hasReservation: holders.has(job.id) };
  return new Map([...queues].map(([id, queue]) => [id, queue.map(mark)]));
}

function requeued({ id, tenantId, priority, queuedAt, choice, endsAt }: RunningJob, left: Left): QueuedJob {
  const leftMs = (end: number) => Math.max(1, end - left.now + left.lostMs);
  const durationMs = { p50: leftMs(endsAt.p50), p90: leftMs(endsAt.p90) };
  return { id, tenantId, priority, queuedAt, notBefore: 0, choices: [{ ...choice, durationMs }] };
}

type Left = { now: number; lostMs: number };

function without(queues: Queues, started: ReadonlySet<string>): Queues {
  const left: Queues = new Map();
  for (const [id, queue] of queues) {
    const waiting = queue.filter((job) => !started.has(job.id));
    if (waiting.length > 0) left.set(id, waiting);
  }
  return left;
}

function nextChange(state: State, queues: Queues, percentile: 'p50' | 'p90'): number | undefined {
  let next = Infinity;
  const mayPreempt = isAnyPreempted(state);
  for (const { endsAt, startedAt, isStopping, attempt } of state.running.values()) {
    next = Math.min(next, Math.max(endsAt[percentile], state.now + 1));
    // Those that it has started itself are looked at when something ends.
    if (!mayPreempt || isStopping || startedAt === undefined || attempt === 0) continue;
    const mayGoAt = startedAt + state.rules.minRuntimeMs;
    if (mayGoAt > state.now) next = Math.min(next, mayGoAt);
  }
  for (const queue of queues.values())
    for (const { notBefore, choices } of queue) {
      if (notBefore > state.now) next = Math.min(next, notBefore);
      for (const { shortage } of choices)
        if (shortage !== undefined) next = Math.min(next, askedAgainAt(shortage, state));
    }
  return next === Infinity ? undefined : next;
}

/** Whether the rules let anybody's job make way at all. */
function isAnyPreempted({ rules, tenants }: State): boolean {
  return rules.preemptsLowerPriority || [...tenants.values()].some(({ quotas }) => Object.keys(quotas).length > 0);
}

function askedAgainAt({ id, until }: NonNullable<Choice['shortage']>, { now, probes }: State): number {
  const at = Math.max(until, probes.get(id) ?? 0);
  return at > now ? at : Infinity;
}

function endUntil(state: State, now: number, percentile: 'p50' | 'p90'): void {
  state.now = now;
  for (const { id, endsAt } of state.running.values()) if (endsAt[percentile] <= now) countEnd(state, id);
}
