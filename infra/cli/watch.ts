import { setTimeout as sleep } from 'node:timers/promises';
import { formatUsd } from '../../src/core/money.ts';
import { answer } from './api.ts';
import { bar } from './bar.ts';
import { exitCodes } from './failure.ts';
import { followEvents, followLog } from './follow.ts';
import type { Job, LogLine } from './generated/api.ts';
import { showLine } from './log-view.ts';
import { createPatience, longPatienceMs, retrying } from './patience.ts';
import { paintError, printJson, say } from './screen.ts';
import type { Session } from './session.ts';
import { doneOf, leftUntil, stateStyle } from './standing.ts';
import { createStatusLine, type StatusLine } from './status-line.ts';
import { costOf } from './words.ts';

const lookEveryMs = 1_000;
const barColumns = 24;

/** Shows a job's log until its end and answers its exit code: 1 where it has none of its own. */
export async function watch(session: Session, { id }: Job, isJson: boolean): Promise<number> {
  say(`Submitted ${id}`);
  await followShown(session, id, isJson ? undefined : showLine);
  const job = await retrying(() => readJob(session, id), createPatience(longPatienceMs));
  if (isJson) printJson(job);
  say(`${paintError(stateStyle(job.state), job.state)}: ${job.message ?? job.reason ?? ''} (${costOf(job)})`);
  return exitCodeOf(job);
}

/** The log until the job's end, and below it on a terminal how far the job is. Ctrl-C leaves the job alone. */
export async function followShown(session: Session, id: string, show?: (line: LogLine) => void): Promise<void> {
  const line = createStatusLine();
  const leave = () => {
    line.clear();
    say(`\n${id} goes on. weir logs -f ${id} follows it, weir cancel ${id} stops it.`);
    process.exit(exitCodes.interrupted);
  };
  process.once('SIGINT', leave);
  const stop = keepShowing(session, id, line);
  try {
    for await (const each of followLog(session.api, id)) if (show !== undefined) line.above(() => show(each));
    // The log ends with its last line; the job when its machine is gone and its account is closed.
    for await (const _event of followEvents(session.api, id));
  } finally {
    stop();
    line.clear();
    process.off('SIGINT', leave);
  }
}

/** Looks at the job now and then, as long as somebody watches. */
function keepShowing(session: Session, id: string, line: StatusLine): () => void {
  if (process.stderr.isTTY !== true) return () => undefined;
  const end = new AbortController();
  void (async () => {
    while (!end.signal.aborted) {
      const job = await readJob(session, id, end.signal).catch(() => undefined);
      if (end.signal.aborted) return;
      if (job !== undefined) line.set(statusText(job));
      await sleep(lookEveryMs, undefined, { signal: end.signal }).catch(() => undefined);
    }
  })();
  return () => end.abort();
}

function statusText(job: Job): string {
  const state = paintError(stateStyle(job.state), job.state);
  return [state, ...farOf(job), `${formatUsd(job.cost.accruedUsd)} so far`].join('  ');
}

function farOf({ waiting, progress, tasks }: Job): string[] {
  if (tasks !== undefined) return [`${tasks.succeeded + tasks.failed + tasks.cancelled} of ${tasks.total} tasks ended`];
  if (waiting !== undefined) return [waitingText(waiting)];
  if (progress === undefined) return [];
  const { done, total, unit, eta } = progress;
  const share = doneOf(progress);
  if (share === undefined) return [leftUntil(eta.p50).trim()].filter((text) => text !== '');
  const drawn = paintError('cyan', bar(share, barColumns));
  return [`${drawn} ${Math.floor(100 * share)} %  ${done} of ${total} ${unit ?? ''}`.trimEnd() + leftUntil(eta.p50)];
}

function waitingText({ position, eta, blockers }: NonNullable<Job['waiting']>): string {
  const place = position === null ? '' : `#${position} in the queue`;
  const [blocker] = blockers;
  const left = leftUntil(eta.p50)
    .trim()
    .replace(/ left$/, '');
  return [place, left === '' ? '' : `starts in ${left}`, blocker?.message ?? '']
    .filter((text) => text !== '')
    .join(', ');
}

function readJob({ api }: Session, id: string, signal?: AbortSignal): Promise<Job> {
  const asked = signal === undefined ? {} : { signal };
  return answer(api.GET('/v1/jobs/{job}', { params: { path: { job: id } }, ...asked }));
}

function exitCodeOf({ state, attempts }: Job): number {
  if (state === 'succeeded') return exitCodes.ok;
  const code = attempts.at(-1)?.exitCode ?? 0;
  return code > 0 && code < 256 ? code : exitCodes.failure;
}
