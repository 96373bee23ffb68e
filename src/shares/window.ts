import { invalid } from '../core/errors.ts';
import { dayMs, hourMs } from '../core/time.ts';

export type Window = { from: Date; to: Date };

/** Of the query parameter `window`: `30d`, `24h`, or `all`. */
export const windowPattern = '^([1-9][0-9]{0,4}[hd]|all)$';

/** How far back a window such as `30d` reaches; undefined for `all`. */
export function windowMs(text: string): number | undefined {
  if (!new RegExp(windowPattern).test(text)) {
    throw invalid('?window', `"${text}" is not a window: hours or days up to now such as 24h or 30d, or all.`);
  }
  if (text === 'all') return undefined;
  return Number(text.slice(0, -1)) * (text.endsWith('h') ? hourMs : dayMs);
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

const bucketMs = { hour: hourMs, day: dayMs } satisfies Record<Bucket, number>;
const maxBuckets = 10_000;

/** The window in whole UTC hours or days. Where none is named: hours up to a week, else days. */
export function buckets({ from, to }: Window, wished: Bucket | undefined): { starts: Date[]; lengthMs: number } {
  const bucket = wished ?? (to.getTime() - from.getTime() <= 7 * dayMs ? 'hour' : 'day');
  const lengthMs = bucketMs[bucket];
  const first = Math.floor(from.getTime() / lengthMs) * lengthMs;
  const count = Math.ceil((to.getTime() - first) / lengthMs);
  if (count > maxBuckets) {
    throw invalid(
      '?bucket',
      `The window has ${count} buckets of one ${bucket}; ask for a shorter window or bucket=day.`,
    );
  }
  return { lengthMs, starts: Array.from({ length: count }, (_, index) => new Date(first + index * lengthMs)) };
}
