import { hourMs } from '../core/time.ts';

const secondMs = 1_000;
const minuteMs = 60 * secondMs;

/** After each failed try; the schedule that the Standard Webhooks specification suggests. */
const restsMs = [
  5 * secondMs,
  5 * minuteMs,
  30 * minuteMs,
  2 * hourMs,
  5 * hourMs,
  10 * hourMs,
  14 * hourMs,
  20 * hourMs,
  24 * hourMs,
] as const;

/** When to try again after so many tries; undefined where there were enough. */
export function nextTry(tries: number, at: Date): Date | undefined {
  const restMs = restsMs[tries - 1];
  return restMs === undefined ? undefined : new Date(at.getTime() + restMs);
}
