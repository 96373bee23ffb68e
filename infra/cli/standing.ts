import { formatDuration } from '../../src/core/time.ts';
import { bar } from './bar.ts';
import type { JobState, JobSummary, Progress } from './generated/api.ts';
import { isTerminal, type Style } from './screen.ts';
import type { Cell } from './table.ts';
import { when } from './words.ts';

const looks: Record<JobState, { mark: string; style: Style }> = {
  queued: { mark: '○', style: 'yellow' },
  provisioning: { mark: '◐', style: 'cyan' },
  running: { mark: '●', style: 'cyan' },
  stopping: { mark: '◑', style: 'cyan' },
  succeeded: { mark: '✓', style: 'green' },
  failed: { mark: '✗', style: 'red' },
  cancelled: { mark: '⊘', style: 'dim' },
};

/** A state with its mark and colour, for people; the word alone for programs. */
export function stateCell(state: JobState): Cell {
  const { mark, style } = looks[state];
  return isTerminal ? { text: `${mark} ${state}`, style } : state;
}

export function stateStyle(state: JobState): Style {
  return looks[state].style;
}

const barColumns = 10;

/** What there is to say of a job's state in a few words: how far it is, why it waits, how it ended. */
export function standing(job: JobSummary): string {
  const { progress, tasks, waiting, reason } = job;
  if (tasks !== undefined) return `${tasks.succeeded + tasks.failed + tasks.cancelled} of ${tasks.total} tasks`;
  if (waiting !== undefined) return waitingText(waiting);
  const share = progress === undefined ? undefined : doneOf(progress);
  if (progress !== undefined && share !== undefined) return progressText(share, progress.eta.p50);
  return reason === 'completed' ? '' : (reason ?? '');
}

function waitingText({ position, eta, blockers }: NonNullable<JobSummary['waiting']>): string {
  const codes = [...new Set(blockers.map(({ code }) => code))].join(', ');
  if (!isTerminal) return codes;
  const place = position === null ? '' : `#${position} `;
  return `${place}${codes}${eta.p50 === null ? '' : `, starts ${when(eta.p50)}`}`.trim();
}

function progressText(share: number, end: string | null): string {
  const percent = `${Math.floor(100 * share)} %`;
  return isTerminal ? `${bar(share, barColumns)} ${percent}${leftUntil(end)}` : percent;
}

/** `  4 min 10 s left`; nothing where it is not known or already over. */
export function leftUntil(end: string | null): string {
  const seconds = end === null ? 0 : (Date.parse(end) - Date.now()) / 1000;
  return seconds > 0 ? `  ${formatDuration(seconds)} left` : '';
}

/** The part that is done, from 0 to 1; undefined where it is not known. */
export function doneOf({ done, total }: Progress): number | undefined {
  return done === null || total === null || total === 0 ? undefined : Math.min(1, done / total);
}
