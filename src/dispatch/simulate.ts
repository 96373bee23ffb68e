import { hourMs } from '../core/time.ts';
import { decide } from './decide.ts';
import type { Decisions, Start } from './decisions.ts';
import { keepingOf, preemptionOf } from './limits.ts';
import { createAccounts, type Accounts } from './simulate-accounts.ts';
import { boundJobs } from './simulate-bindings.ts';
import {
  runningJob,
  runOf,
  waitingJob,
  type Run,
  type Running,
  type Scenario,
  type SimulatedJob,
  type Waiting,
} from './simulate-jobs.ts';
import { createMachines, type Machines } from './simulate-machines.ts';
import { createQueues, fitsAny, type Queues } from './simulate-queues.ts';
import type { QueuedJob } from './snapshot.ts';

/** What only time lets start is looked at each hour, for longer than any month or usual window. */
const idleHours = 32 * 24;

/**
 * Replays jobs through the very same decide function as the service dispatches with, from event to event: no clock, and
 * nothing random. Answers the jobs in the order of their starts, those that could not start behind them.
 */
export function simulate(scenario: Scenario): Run[] {
  const replay = createReplay(scenario);
  const arrivals = boundJobs(scenario).toSorted((a, b) => a.submittedAt - b.submittedAt || (a.id < b.id ? -1 : 1));
  let arrived = 0;
  let idle = 0;
  for (let now = -Infinity; ;) {
    const nextEvent = Math.min(arrivals[arrived]?.submittedAt ?? Infinity, replay.nextEnd(), replay.nextVictim(now));
    const later = now + hourMs;
    const isIdle = nextEvent > later && replay.waitsForTime();
    idle = isIdle ? idle + 1 : 0;
    now = isIdle && idle <= idleHours ? later : nextEvent;
    if (now === Infinity) return replay.finish();
    replay.endUntil(now);
    for (let job = arrivals[arrived]; job !== undefined && job.submittedAt <= now; job = arrivals[arrived]) {
      replay.submit(job);
      arrived += 1;
    }
    replay.dispatch(now);
  }
}

/** What changes as a replay goes on, and the verbs that change it. */
function createReplay(scenario: Scenario) {
  const accounts = createAccounts({ ...scenario, entryCharge: (scenario.order ?? 'weir') === 'weir' });
  const machines = createMachines(scenario.capacities);
  const queues = createQueues<Waiting>();
  const waiting = new Map<string, Waiting>();
  const runs = new Map<string, Run>();
  const preempts = doesPreempt(scenario);
  const minRuntimeMs = Math.max(1, preemptionOf(scenario.poolPolicy).minRuntimeMs);
  const look = createLook(scenario, { accounts, machines, queues, preempts });
  const whole = createMachines(scenario.capacities).pools;
  let waitsForTime = false;
  /** Something could start now that could not at the last event: a machine is free, or a job has come that fits or is first. */
  let hasNews = false;

  const enqueue = (job: Waiting): void => {
    waiting.set(job.id, job);
    // What nothing could ever hold, the service refuses: it never starts, and is before nobody.
    if (!fitsAny(job.choices, whole)) return;
    const isFirst = queues.add(job);
    hasNews ||= isFirst || fitsAny(job.choices, machines.pools);
  };
  const start = ({ jobId, choice, gpus }: Start, now: number): void => {
    const job = waiting.get(jobId);
    if (job === undefined) throw new Error(`decide started ${jobId}, which does not wait`);
    waiting.delete(jobId);
    queues.remove(job);
    const run = runs.get(jobId) ?? runOf(job.source);
    runs.set(jobId, run);
    const running = runningJob(job, { optionId: choice.optionId, gpus, now, run });
    machines.take(running);
    accounts.start(running);
  };
  const end = (running: Running): void => {
    machines.release(running);
    accounts.end(running, running.endsAt);
    hasNews = true;
    const again = running.end();
    if (again !== undefined) enqueue(again);
  };

  return {
    nextEnd: () => machines.nextEnd(),
    nextVictim: (now: number) => (preempts && waiting.size > 0 ? machines.nextOfAge(minRuntimeMs, now) : Infinity),
    waitsForTime: () => waitsForTime,
    submit: (source: SimulatedJob): void => enqueue(waitingJob(source, scenario)),
    endUntil: (now: number): void => machines.eachEnded(now, end),
    dispatch: (now: number): void => {
      if (!hasNews && !preempts && !waitsForTime) return;
      do {
        const { starts, preemptions, waits } = look(now);
        for (const started of starts) start(started, now);
        for (const { jobId } of preemptions) machines.preempt(jobId, now);
        waitsForTime = waits.some(isTimed);
        // Of queues without backfill only the first was looked at: behind it is another now.
        hasNews = scenario.backfill === false && starts.length > 0;
      } while (hasNews);
    },
    finish: (): Run[] => [...runs.values(), ...neverStarted(waiting, runs)],
  };
}

function neverStarted(waiting: ReadonlyMap<string, Waiting>, runs: ReadonlyMap<string, Run>): Run[] {
  return [...waiting.values()].flatMap(({ id, source }) => (runs.has(id) ? [] : [runOf(source)]));
}

type Seen = { accounts: Accounts; machines: Machines; queues: Queues<Waiting>; preempts: boolean };

/** A round of decisions on what a snapshot of the service would show at this moment. */
function createLook(
  { poolPolicy, policies, order, backfill = true }: Scenario,
  { accounts, machines, queues, preempts }: Seen,
) {
  const rules = preemptionOf(poolPolicy);
  const keeping = order === 'fifo' ? [] : keepingOf(policies);
  /** Those that others make way for, and those that have reserved what they wait for. */
  const claimants = new Map<string, QueuedJob>();
  let holders = new Map<string, QueuedJob>();
  return (now: number): Decisions => {
    const { jobs, doesAnyFit } = queues.heads(machines.pools);
    const others = (backfill ? jobs : firstOfEach(jobs)).filter(({ id }) => !claimants.has(id) && !holders.has(id));
    const queued = [...claimants.values(), ...holders.values(), ...others];
    if (queued.length === 0 || !(doesAnyFit || preempts)) return { starts: [], preemptions: [], waits: [] };
    const busy = [...queued, ...machines.running()].map(({ tenantId }) => tenantId);
    const asked = new Set([...busy, ...keeping]);
    const decisions = decide({
      now,
      pools: [...machines.pools.values()],
      tenants: accounts.uses(asked, now),
      queued,
      running: machines.running(),
      rules: { ...rules, concentration: accounts.concentration(now) },
    });
    for (const { forJobId } of decisions.preemptions) {
      const claimant = queued.find(({ id }) => id === forJobId);
      if (claimant !== undefined) claimants.set(forJobId, { ...claimant, hasClaim: true });
    }
    for (const { jobId } of decisions.starts) claimants.delete(jobId);
    const reserved = new Set(decisions.waits.flatMap(({ jobId, reserved }) => (reserved === undefined ? [] : [jobId])));
    const holding = queued.filter(({ id }) => reserved.has(id) && !claimants.has(id));
    holders = new Map(holding.map((job) => [job.id, { ...job, hasReservation: true }]));
    return decisions;
  };
}

function firstOfEach(jobs: Waiting[]): Waiting[] {
  return jobs.filter(({ tenantId }, index) => jobs[index - 1]?.tenantId !== tenantId);
}

/** What time may lift. */
const timed = new Set<string>(['share-cap', 'concentration', 'budget']);

function isTimed({ blockers }: Decisions['waits'][number]): boolean {
  return blockers.some(({ code }) => timed.has(code));
}

/** Whether a job might start where nothing is free. */
function doesPreempt({ policies, poolPolicy }: Scenario): boolean {
  return (
    poolPolicy.preemptLowerPriority === true ||
    [...policies.values()].some(({ guaranteed }) => guaranteed !== undefined)
  );
}
