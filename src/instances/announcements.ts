import { formatUsd, fromUsd, toUsd } from '../core/money.ts';
import { formatDuration, hourMs, parseDuration } from '../core/time.ts';
import type { JobSpec } from '../protocol/job-spec.ts';
import type { AnnouncementType } from '../protocol/webhook.ts';
import { forecast, leavesQuote, type Forecast, type Running } from '../quotes/forecast.ts';
import { spentMicroUsd, type Paid } from './cost.ts';

/** What an event says once in the life of a job. */
export type Announcement = { type: AnnouncementType; message: string };

export type Announced = Paid &
  Pick<Running, 'earlierMs' | 'quoted' | 'track'> & {
    state: string;
    number: number;
    startedAt: Date | null;
    spec: Pick<JobSpec, 'maxDuration' | 'maxCostUsd'>;
    announced: readonly string[];
  };

/** At this share of `maxCostUsd` its owner is told, so that there is time to raise it or to look. */
const nearing = 0.8;

/** What has to be said now of a running job, and has not been. */
export function announcementOf(attempt: Announced, now: Date): Announcement | undefined {
  if (attempt.state !== 'running' || attempt.startedAt === null) return undefined;
  const running = runningOf(attempt, now);
  const foreseen = forecast(running);
  return [costOf(attempt, foreseen, now), leftQuote(running, foreseen)].find(
    (each) => each !== undefined && !attempt.announced.includes(each.type),
  );
}

function runningOf({ number, startedAt, earlierMs, quoted, track, spec }: Announced, now: Date): Running {
  return {
    nowMs: now.getTime(),
    startedMs: startedAt?.getTime() ?? null,
    attempt: number,
    earlierMs,
    quoted,
    track,
    maxMs: spec.maxDuration === undefined ? Infinity : parseDuration(spec.maxDuration),
  };
}

function costOf(attempt: Announced, foreseen: Forecast | undefined, now: Date): Announcement | undefined {
  const { maxCostUsd } = attempt.spec;
  if (maxCostUsd === undefined) return undefined;
  const spent = spentMicroUsd(attempt, now);
  if (spent < nearing * fromUsd(maxCostUsd)) return undefined;
  const spentUsd = formatUsd(toUsd(spent));
  const limit = `its maxCostUsd is ${formatUsd(maxCostUsd)}, at which it is stopped and its checkpoint kept`;
  if (foreseen === undefined) return { type: 'cost.nearing-limit', message: `The job has cost ${spentUsd}; ${limit}.` };
  const expectedUsd = toUsd(Math.round(spent + (fromUsd(attempt.offer.hourlyUsd) * foreseen.remaining.p50) / hourMs));
  const verdict = expectedUsd > maxCostUsd ? 'It is heading over its limit' : 'It is expected to end within its limit';
  return {
    type: 'cost.nearing-limit',
    message: `${verdict}: it has cost ${spentUsd} and is expected to cost ${formatUsd(expectedUsd)}; ${limit}.`,
  };
}

function leftQuote(running: Running, foreseen: Forecast | undefined): Announcement | undefined {
  const { quoted } = running;
  const side = foreseen === undefined ? undefined : leavesQuote(running, foreseen);
  if (quoted === null || foreseen === undefined || side === undefined) return undefined;
  const { p10, p50, p90 } = foreseen.total;
  const now = `${formatDuration(p50 / 1000)} in all (${formatDuration(p10 / 1000)} to ${formatDuration(p90 / 1000)})`;
  const was = `${formatDuration(quoted.p50)} (${formatDuration(quoted.p10)} to ${formatDuration(quoted.p90)})`;
  return { type: 'forecast.left-quote', message: `It will take ${side} than quoted: ${now} instead of ${was}.` };
}
