import type { QuoteOption } from '../protocol/quote.ts';
import { forecast } from '../quotes/forecast.ts';
import { toTrack } from '../quotes/progress.ts';
import type { RunningJob } from './snapshot.ts';
import type { ActiveRow } from './store.ts';

/** How long a job that is told to end holds its machines, about. */
const endingMs = 30_000;

/** When a job that is under way will be gone: by its own speed where it tells one, else as it was quoted when it started. */
export function endOf(row: ActiveRow, { durationSeconds }: QuoteOption, nowMs: number): RunningJob['endsAt'] {
  if (row.isStopping) return { p50: nowMs + endingMs, p90: nowMs + endingMs };
  const foreseen = forecast({
    nowMs,
    startedMs: row.startedAt?.getTime() ?? null,
    attempt: row.attempt,
    earlierMs: row.earlierMs,
    quoted: durationSeconds,
    track: toTrack(row.progress),
    maxMs: Infinity,
  });
  if (foreseen?.isOfProgress === true)
    return { p50: nowMs + foreseen.remaining.p50, p90: nowMs + foreseen.remaining.p90 };
  const from = (row.startedAt ?? row.createdAt).getTime();
  const p50 = from + durationSeconds.p50 * 1000;
  // Past its p50 it ends when most of those do that have come so far. That its p90 is past is told apart: reservations move on by it.
  const isOverdue = p50 <= nowMs && foreseen !== undefined;
  return { p50: isOverdue ? nowMs + foreseen.remaining.p50 : p50, p90: from + durationSeconds.p90 * 1000 };
}
