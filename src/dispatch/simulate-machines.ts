import { wholePool, type Capacities } from './capacity.ts';
import type { Running } from './simulate-jobs.ts';
import { insertSorted } from './simulate-sorted.ts';
import type { Pool, RunningJob } from './snapshot.ts';

export type Machines = {
  pools: ReadonlyMap<string, Pool>;
  take: (running: Running) => void;
  release: (running: Running) => void;
  preempt: (jobId: string, now: number) => void;
  /** By their predicted ends: decide sorts them so, and finds them sorted. */
  running: () => RunningJob[];
  nextEnd: () => number;
  /** When the next of those that have run for less will have run so long. */
  nextOfAge: (ageMs: number, now: number) => number;
  /** Those that have ended by now, in order; each is to be released. */
  eachEnded: (now: number, end: (ended: Running) => void) => void;
};

/** What is free, and what runs until when. */
export function createMachines(capacities: Capacities): Machines {
  const pools = new Map([...capacities].map(([name, capacity]) => [name, wholePool(name, capacity)]));
  const ends: Running[] = [];
  const running: RunningJob[] = [];

  return {
    pools,
    take: (started) => {
      change(pools.get(started.choice.provider), started, -1);
      insertSorted(ends, started, byEnd);
      insertSorted(running, started.job, byPredictedEnd);
    },
    release: (ended) => {
      ends.splice(ends.indexOf(ended), 1);
      running.splice(running.indexOf(ended.job), 1);
      change(pools.get(ended.choice.provider), ended, 1);
    },
    preempt: (jobId, now) => {
      const going = ends.find(({ job }) => job.id === jobId);
      if (going === undefined) return;
      ends.splice(ends.indexOf(going), 1);
      going.preempt(now);
      insertSorted(ends, going, byEnd);
    },
    running: () => running,
    nextEnd: () => ends[0]?.endsAt ?? Infinity,
    nextOfAge: (ageMs, now) => {
      let next = Infinity;
      for (const { startedAt } of ends) if (startedAt + ageMs > now) next = Math.min(next, startedAt + ageMs);
      return next;
    },
    eachEnded: (now, end) => {
      for (let next = ends[0]; next !== undefined && next.endsAt <= now; next = ends[0]) end(next);
    },
  };
}

const byEnd = (a: Running, b: Running) => a.endsAt - b.endsAt;
const byPredictedEnd = (a: RunningJob, b: RunningJob) => a.endsAt.p90 - b.endsAt.p90;

function change(pool: Pool | undefined, { choice: { need }, gpus }: Running, sign: 1 | -1): void {
  if (pool === undefined) return;
  pool.cpus += sign * need.cpus * need.nodes;
  pool.memoryBytes += sign * need.memoryBytes * need.nodes;
  pool.diskBytes += sign * need.diskBytes * need.nodes;
  const indexes = gpus.flat();
  if (indexes.length === 0) return;
  pool.gpus.free =
    sign === -1
      ? pool.gpus.free.filter((index) => !indexes.includes(index))
      : [...pool.gpus.free, ...indexes].toSorted((a, b) => a - b);
}
