import { priceFor, type MicroUsd } from '../core/money.ts';
import type { Policy, PoolPolicy } from '../protocol/tenant.ts';
import type { Capacities } from './capacity.ts';
import type { Active } from './simulate-entry.ts';
import type { Choice, QueuedJob, RunningJob } from './snapshot.ts';

export type SimulatedJob = {
  id: string;
  tenantId: string;
  priority: number;
  /** Milliseconds since 1970. */
  submittedAt: number;
  /** Where it may run, best first, each with the duration that it is predicted to take there. */
  choices: readonly SimulatedChoice[];
  /** How often it stores a checkpoint; left out: never. */
  checkpointEveryMs?: number;
};

export type SimulatedChoice = Choice & {
  /** Left out where it is not known: no policy keeps the job from it then. */
  region?: string;
  /** How long it really takes there. */
  actualMs: number;
  microUsdPerHour: MicroUsd;
};

/**
 * `weir`: the rules of decide. `no-entry-charge`: what runs counts once it is accounted. `fifo`: who comes first, whoever it
 * is of.
 */
export const orders = ['weir', 'no-entry-charge', 'fifo'] as const;
export type Order = (typeof orders)[number];

export type Scenario = {
  jobs: readonly SimulatedJob[];
  capacities: Capacities;
  policies: ReadonlyMap<string, Policy>;
  poolPolicy: PoolPolicy;
  /** What all capacities that can be counted could give at once. */
  poolPetaflops: number;
  order?: Order;
  /** False: nothing passes the first job of its queue. */
  backfill?: boolean;
};

/** A stretch on machines. Milliseconds since 1970. */
export type Stretch = { startedAt: number; endedAt: number };

/** What became of a job, in a replay or really. */
export type Run = {
  jobId: string;
  tenantId: string;
  submittedAt: number;
  /** Empty where it never started; several where it was preempted. */
  stretches: Stretch[];
  accelerators: { kind: string; count: number };
  petaflops: number;
  microUsd: MicroUsd;
  /** Of its time on machines, what was done for nothing. */
  wastedMs: number;
};

/** `done`: the part that checkpoints hold, from 0 to 1. */
export type Waiting = QueuedJob & { source: SimulatedJob; done: number };

export type Running = Active & {
  job: RunningJob;
  gpus: number[][];
  endsAt: number;
  /** Tells that it makes way now; its machines are free after the grace. */
  preempt: (now: number) => void;
  /** Its stretch is over; answers what waits again, where it was preempted. */
  end: () => Waiting | undefined;
};

/** In a queue of all tenants. */
const everyone = 'everyone';

/** Beyond any reservation, and still a number. */
const neverMs = 1e15;

/** Between the notice and the end of a job that makes way, as timing.graceSeconds has it by default. */
const graceMs = 10_000;

export function waitingJob(
  source: SimulatedJob,
  { order, backfill = true }: Pick<Scenario, 'order' | 'backfill'>,
): Waiting {
  const { id, tenantId, priority, submittedAt, choices } = source;
  return {
    id,
    tenantId: order === 'fifo' ? everyone : tenantId,
    priority: order === 'fifo' ? 0 : priority,
    queuedAt: submittedAt,
    notBefore: 0,
    choices: choices.map((choice) => ({
      ...choice,
      petaflops: order === 'no-entry-charge' ? 0 : choice.petaflops,
      durationMs: backfill ? choice.durationMs : { ...choice.durationMs, p90: neverMs },
    })),
    source,
    done: 0,
  };
}

export function runOf({ id, tenantId, submittedAt, choices: [first] }: SimulatedJob): Run {
  return {
    jobId: id,
    tenantId,
    submittedAt,
    stretches: [],
    accelerators: first?.accelerators ?? { kind: 'cpu', count: 0 },
    petaflops: first?.petaflops ?? 0,
    microUsd: 0,
    wastedMs: 0,
  };
}

type Started = { optionId: string; gpus: number[][]; now: number; run: Run };

/** A waiting job on its machines: what `run` says of it is written at its end. */
export function runningJob(waiting: Waiting, { optionId, gpus, now, run }: Started): Running {
  const { source, tenantId, priority, done } = waiting;
  const choice = source.choices.find((known) => known.optionId === optionId);
  if (choice === undefined) throw new Error(`decide gave ${source.id} the option ${optionId}, which it does not have`);
  const { durationMs, actualMs, microUsdPerHour, reservation } = choice;
  let preempted = false;
  const job: RunningJob = {
    id: source.id,
    attempt: run.stretches.length + 1,
    tenantId,
    priority,
    queuedAt: waiting.queuedAt,
    choice,
    startedAt: now,
    checkpointedAt: undefined,
    isStopping: false,
    endsAt: { p50: now + durationMs.p50, p90: now + durationMs.p90 },
  };
  const running: Running = {
    tenantId,
    choice,
    startedAt: now,
    accountedTo: now,
    microUsdPerHour,
    reservedLeft: reservation,
    job,
    gpus,
    endsAt: now + Math.max(1, Math.round(actualMs * (1 - done))),
    preempt: (at) => {
      if (at + graceMs >= running.endsAt) return;
      preempted = true;
      job.isStopping = true;
      running.endsAt = at + graceMs;
    },
    end: () => {
      const ranMs = running.endsAt - now;
      run.stretches.push({ startedAt: now, endedAt: running.endsAt });
      run.accelerators = choice.accelerators;
      run.petaflops = choice.petaflops;
      run.microUsd += priceFor(microUsdPerHour, ranMs);
      if (!preempted) return undefined;
      const keptMs = keptOf(source, ranMs);
      run.wastedMs += ranMs - keptMs;
      return { ...waiting, done: done + keptMs / actualMs };
    },
  };
  return running;
}

/** A job that is told to go stores what it has within the grace, where it stores checkpoints at all. */
function keptOf({ checkpointEveryMs }: SimulatedJob, ranMs: number): number {
  if (checkpointEveryMs === undefined) return 0;
  return Math.floor(ranMs / checkpointEveryMs) * checkpointEveryMs;
}
