import { fromUsd } from '../core/money.ts';
import type { Capacities } from './capacity.ts';
import type { RecordedAttempt, RecordedJob } from './history-store.ts';
import { choiceOf } from './read-snapshot.ts';
import type { Run, SimulatedJob } from './simulate-jobs.ts';

type Around = { capacities: Capacities; petaflopsPerAccelerator: (kind: string) => number; now: Date };

/**
 * A recorded job as a simulation replays it: it takes on each of its options as much longer or shorter than quoted as its
 * last attempt took on its own. What still runs, and what never ran, takes what its quote says.
 */
export function replayed(job: RecordedJob, around: Around): SimulatedJob {
  const { capacities, now } = around;
  const options = job.options.filter(({ offer }) => capacities.has(offer.provider));
  const last = job.attempts.at(-1);
  const quotedMs = (job.options.find(({ offer }) => offer.id === last?.offer.id)?.durationSeconds.p50 ?? 0) * 1000;
  const factor = last === undefined || quotedMs === 0 ? 1 : factorOf(last, quotedMs, now);
  return {
    id: job.id,
    tenantId: job.tenantId,
    priority: job.priority,
    submittedAt: job.queuedAt.getTime(),
    choices: options.map((option) => {
      const choice = choiceOf({ spec: job.spec, option, charged: 0 }, capacities, around);
      const { region, hourlyUsd } = option.offer;
      return { ...choice, region, actualMs: factor * choice.durationMs.p50, microUsdPerHour: fromUsd(hourlyUsd) };
    }),
  };
}

function factorOf({ createdAt, finishedAt }: RecordedAttempt, quotedMs: number, now: Date): number {
  const from = Date.parse(createdAt);
  return finishedAt === null
    ? Math.max(1, (now.getTime() - from) / quotedMs)
    : (Date.parse(finishedAt) - from) / quotedMs;
}

/** What really became of it, in the figures of a simulation. All attempts but the last were for nothing. */
export function recordedRun(job: RecordedJob, { petaflopsPerAccelerator, now }: Around): Run {
  const last = job.attempts.at(-1);
  const offer = last?.offer ?? job.options[0]?.offer;
  const { kind, count } = offer?.accelerators ?? { kind: 'cpu', count: 0 };
  const all = count * (offer?.nodes ?? 1);
  const stretches = job.attempts.map(({ createdAt, finishedAt }) => ({
    startedAt: Date.parse(createdAt),
    endedAt: finishedAt === null ? now.getTime() : Date.parse(finishedAt),
  }));
  return {
    jobId: job.id,
    tenantId: job.tenantId,
    submittedAt: job.queuedAt.getTime(),
    stretches,
    accelerators: { kind, count: all },
    petaflops: petaflopsPerAccelerator(kind) * all,
    microUsd: job.charged,
    wastedMs: stretches.slice(0, -1).reduce((sum, { startedAt, endedAt }) => sum + endedAt - startedAt, 0),
  };
}
