import type { Blocker } from '../protocol/common.ts';
import type { Job } from '../protocol/job.ts';
import type { Upstream } from './dependency-store.ts';

type Eta = NonNullable<Job['waiting']>['eta'];

const unknown: Eta = { p50: null, p90: null };

type Expected = Upstream & {
  view: Pick<Job, 'state' | 'progress' | 'waiting' | 'tasks'>;
  /** Of the option that it would run on first. */
  durationSeconds: { p50: number; p90: number } | undefined;
};

/** What a job that waits for others is shown to wait for. It can't start before the last of them is expected to end. */
export function waitingForOthers(upstream: Expected[]): NonNullable<Job['waiting']> {
  const ends = upstream.map(expectedEnd);
  return {
    position: null,
    eta: { p50: latest(ends.map(({ p50 }) => p50)), p90: latest(ends.map(({ p90 }) => p90)) },
    blockers: upstream.map((each, index) => dependencyBlocker(each, ends[index] ?? unknown)),
  };
}

const unblocks = { success: 'succeeds', failure: 'fails', end: 'ends' } as const;

function dependencyBlocker({ job, name, state, condition }: Upstream, { p50 }: Eta): Blocker {
  const when = p50 === null ? '' : `, and is expected to end about ${p50}`;
  return {
    code: 'dependency',
    message: `It waits for ${job} (${name}), which is ${state}${when}.`,
    unblocks: `${job} ${unblocks[condition]}.`,
  };
}

function expectedEnd({ view: { state, progress, waiting, tasks }, durationSeconds }: Expected): Eta {
  if (state === 'running') return progress?.eta ?? unknown;
  // An array's end is that of its last task, which its options do not tell.
  if (waiting === undefined || durationSeconds === undefined || tasks !== undefined) return unknown;
  return { p50: after(waiting.eta.p50, durationSeconds.p50), p90: after(waiting.eta.p90, durationSeconds.p90) };
}

function after(start: string | null, seconds: number): string | null {
  return start === null ? null : new Date(Date.parse(start) + Math.round(seconds) * 1000).toISOString();
}

/** Null where one is not known. */
function latest(times: (string | null)[]): string | null {
  return times.reduce(
    (last, time) => (last === null || time === null ? null : time > last ? time : last),
    times[0] ?? null,
  );
}
