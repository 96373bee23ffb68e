import { invalid } from '../core/errors.ts';
import { dayMs, hourMs, parseDuration, windowPattern } from '../core/time.ts';

export type Window = { from: Date; to: Date };

/** Of the query parameter `window`: a duration such as `30d` or `90m`, or `all`. */
export const askedWindowPattern = `^(${windowPattern}|all)$`;

/** How far back a window such as `30d` reaches; undefined for `all`. */
export function windowMs(text: string): number | undefined {
  if (!new RegExp(askedWindowPattern).test(text)) {
    throw invalid('?window', `"${text}" is not a window: a duration up to now such as 90m, 24h or 30d, or all.`);
  }
  if (text === 'all') return undefined;
  return parseDuration(text);
}

/** The calendar month, in UTC, of a text such as `2026-11`, as far as it has passed. */
export function monthWindow(text: string, now: Date): Window {
  if (!/^[2-9][0-9]{3}-(0[1-9]|1[0-2])$/.test(text)) {
    throw invalid('?month', `"${text}" is not a month: write year and month, such as 2026-11.`);
  }
  const from = new Date(`${text}-01T00:00:00Z`);
  if (from > now) throw invalid('?month', `The month ${text} has not begun.`);
  const end = new Date(Date.UTC(from.getUTCFullYear(), from.getUTCMonth() + 1));
  return { from, to: end < now ? end : now };
}

/** When the calendar month of this moment began, in UTC: budgets by the month count from there. */
export function monthStart(now: Date): Date {
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth()));
}

export type Bucket = 'hour' | 'day';

export const bucketMs = { hour: hourMs, day: dayMs } satisfies Record<Bucket, number>;
const maxBuckets = 10_000;

export type Buckets = { bucket: Bucket; starts: Date[]; lengthMs: number };

/** The window in whole UTC hours or days. Where none is named: hours up to a week, else days. `pointer` is the field that names it. */
export function buckets({ from, to }: Window, wished: Bucket | undefined, pointer = '?bucket'): Buckets {
  const bucket = wished ?? (to.getTime() - from.getTime() <= 7 * dayMs ? 'hour' : 'day');
  const lengthMs = bucketMs[bucket];
  const first = Math.floor(from.getTime() / lengthMs) * lengthMs;
  const count = Math.ceil((to.getTime() - first) / lengthMs);
  if (count > maxBuckets) {
    const way = `ask for a shorter window or ${pointer.slice(1)}=day`;
    throw invalid(pointer, `The window has ${count} buckets of one ${bucket}, more than ${maxBuckets}; ${way}.`);
  }
  return { bucket, lengthMs, starts: Array.from({ length: count }, (_, index) => new Date(first + index * lengthMs)) };
}

/** A time cut at the hours of UTC, in order. */
export function splitByHour({ from, to }: Window): Window[] {
  const pieces: Window[] = [];
  for (let since = from.getTime(); since < to.getTime();) {
    const until = Math.min(to.getTime(), floorTo('hour', since) + hourMs);
    pieces.push({ from: new Date(since), to: new Date(until) });
    since = until;
  }
  return pieces;
}

export type Grain = 'hour' | 'day' | 'month';

/** A row of starts: of each hour, day or month from one moment until before another. */
export type Run = { grain: Grain; from: Date; to: Date };

/**
 * What a window is made of: whole hours, days and months, as few as will do, and before them the rest of the hour that it begins in.
 * A window ends with a month or now, and nothing is written of the future: the month that passes counts as whole.
 */
export function coverOf({ from, to }: Window): { edge: Window | undefined; runs: Run[] } {
  const firstHour = ceilTo('hour', from.getTime());
  const edge = firstHour > from.getTime() ? { from, to: new Date(firstHour) } : undefined;
  return { edge, runs: runsOf(['month', 'day', 'hour'], firstHour, ceilTo('month', to.getTime())) };
}

/** Whole ones of the first grain, and to both sides of them finer ones. */
function runsOf([grain, ...finer]: Grain[], from: number, to: number): Run[] {
  if (grain === undefined || from >= to) return [];
  if (finer.length === 0) return [{ grain, from: new Date(from), to: new Date(to) }];
  const [first, last] = [ceilTo(grain, from), floorTo(grain, to)];
  if (first >= last) return runsOf(finer, from, to);
  const whole = { grain, from: new Date(first), to: new Date(last) };
  return [...runsOf(finer, from, first), whole, ...runsOf(finer, last, to)];
}

function floorTo(grain: Grain, ms: number): number {
  if (grain !== 'month') return Math.floor(ms / bucketMs[grain]) * bucketMs[grain];
  return monthStart(new Date(ms)).getTime();
}

function ceilTo(grain: Grain, ms: number): number {
  const floor = floorTo(grain, ms);
  if (floor === ms) return ms;
  if (grain !== 'month') return floor + bucketMs[grain];
  const month = new Date(floor);
  return Date.UTC(month.getUTCFullYear(), month.getUTCMonth() + 1);
}
