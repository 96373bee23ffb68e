import { durationPattern, parseDuration } from '../../src/core/time.ts';
import { usageFailure } from './failure.ts';

export type Period = { from: string; to: string };

/** So long up to now, such as `7d`. */
export function lastPeriod(text: string, now = new Date()): Period {
  if (!new RegExp(durationPattern).test(text))
    throw usageFailure(`--last: "${text}" is no length of time; write it like 24h or 7d.`);
  return { from: new Date(now.getTime() - parseDuration(text)).toISOString(), to: now.toISOString() };
}
