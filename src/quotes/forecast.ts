import type { Percentiles } from './interval.ts';
import { rateOf, type Track } from './progress.ts';

/** What is known of a job that runs. Times in milliseconds, of the clock since 1970. */
export type Running = {
  nowMs: number;
  /** When the runner of this attempt began; null while its machine is being started. */
  startedMs: number | null;
  attempt: number;
  /** How long its earlier attempts ran. */
  earlierMs: number;
  /** Seconds that its quote gives it in all; null where that is not known. */
  quoted: Percentiles | null;
  /** What it has said of its progress. */
  track: Track | null;
  /** No attempt runs longer. */
  maxMs: number;
};

/** Milliseconds. `total` counts every attempt, as the quote does. */
export type Forecast = { remaining: Percentiles; total: Percentiles; isOfProgress: boolean };

/** From the middle of a normal distribution to the end of its 80 % interval, in standard deviations. */
const deviationsOf80 = 1.2816;
/** ln 81: of a logistic distribution, from its 10th to its 90th percentile, in scales. */
const scalesOf80 = Math.log(81);

/** Even a quote that says one figure, as where maxDuration cuts it, may be off by so much, in logs. */
const leastSpread = 0.001;

/**
 * When a running job will have ended, from its own speed and its quote, each weighing by how sure it is: at first the quote
 * alone, at last the progress alone. Pure; also what dispatch plans with. Undefined where neither says anything.
 */
export function forecast(running: Running): Forecast | undefined {
  const { nowMs, startedMs, earlierMs, maxMs } = running;
  const elapsedMs = startedMs === null ? 0 : Math.max(0, nowMs - startedMs);
  const before = earlierMs + elapsedMs;
  const ahead = aheadOf(running, elapsedMs);
  const total = ahead === undefined ? ofQuote(running.quoted, before) : combined(ahead, running.quoted, before);
  if (total === undefined) return undefined;
  const left = (ms: number): number => Math.min(Math.max(0, ms - before), Math.max(0, maxMs - elapsedMs));
  const remaining = { p10: left(total.p10), p50: left(total.p50), p90: left(total.p90) };
  return {
    remaining,
    total: { p10: before + remaining.p10, p50: before + remaining.p50, p90: before + remaining.p90 },
    isOfProgress: ahead !== undefined,
  };
}

/** The work left by the job's own account, and the standard deviation of its logarithm. */
type Ahead = { ms: number; sigma: number };

/** One mark tells of a speed only together with the start, and what came before the first step counts in it. */
const sigmaOfOneMark = 0.5;
/** The next attempt may run on another machine. */
const sigmaOfEarlierRate = 0.2;

function aheadOf({ nowMs, attempt, track }: Running, elapsedMs: number): Ahead | undefined {
  if (track === null || track.total === null || track.total <= 0) return undefined;
  const toDo = Math.max(0, track.total - track.done);
  // Until a resumed attempt says where its checkpoint brought it, what is left is not known.
  if (track.attempt !== attempt) return undefined;
  if (toDo === 0) return { ms: 0, sigma: 0 };
  const rate = rateOf(track, nowMs);
  const lastMs = track.marks.at(-1)?.[0] ?? nowMs;
  if (rate !== undefined) {
    // Since the last mark it has gone on, but hardly further than to the next.
    const since = Math.min(Math.max(0, nowMs - lastMs), rate.betweenMs);
    return { ms: Math.max(0, toDo / rate.perMs - since), sigma: rate.sigma };
  }
  if (track.earlierRate !== null) return { ms: toDo / track.earlierRate, sigma: sigmaOfEarlierRate };
  if (attempt > 1 || track.done <= 0 || elapsedMs <= 0) return undefined;
  return { ms: (toDo * elapsedMs) / track.done, sigma: sigmaOfOneMark };
}

/** Of the two estimates of the whole, in logs, the mean weighted by how sure each is. */
function combined({ ms, sigma }: Ahead, quoted: Percentiles | null, beforeMs: number): Percentiles {
  const ownMs = Math.max(1, beforeMs + ms);
  // Only what is still ahead is unsure.
  const own = { middle: Math.log(ownMs), sigma: Math.max(1e-6, (sigma * ms) / ownMs) };
  if (quoted === null) return normal(own.middle, own.sigma);
  const middle = Math.log(Math.max(1, quoted.p50 * 1000));
  const spread = Math.max(leastSpread, Math.log(quoted.p90 / quoted.p10)) / (2 * deviationsOf80);
  // A quote that the job's own speed belies was less sure than it said.
  const quotedSigma = Math.max(spread, Math.abs(own.middle - middle) / deviationsOf80);
  const [ownWeight, quotedWeight] = [own.sigma ** -2, quotedSigma ** -2];
  const weight = ownWeight + quotedWeight;
  return normal((own.middle * ownWeight + middle * quotedWeight) / weight, weight ** -0.5);
}

function normal(middle: number, sigma: number): Percentiles {
  const reach = deviationsOf80 * sigma;
  return { p10: Math.exp(middle - reach), p50: Math.exp(middle), p90: Math.exp(middle + reach) };
}

/**
 * The quote's distribution, given that the job has run so long and has not ended: log-logistic, whose tail is heavy enough that
 * a job far beyond its quote is not said to end any moment. S(t) = 1 / (1 + (t/α)^β).
 */
function ofQuote(quoted: Percentiles | null, beforeMs: number): Percentiles | undefined {
  if (quoted === null) return undefined;
  const middle = Math.log(Math.max(1, quoted.p50 * 1000));
  const beta = scalesOf80 / Math.max(leastSpread, Math.log(quoted.p90 / quoted.p10));
  // ln of (t/α)^β, which itself may be beyond all numbers.
  const run = beta * (Math.log(Math.max(1e-9, beforeMs)) - middle);
  const quantile = (share: number): number => {
    // S(t) = (1 − share) · S(before), so (t/α)^β = (1 + (before/α)^β) / (1 − share) − 1.
    const odds = run > 30 ? run - Math.log(1 - share) : Math.log((1 + Math.exp(run)) / (1 - share) - 1);
    return Math.exp(middle + odds / beta);
  };
  return { p10: quantile(0.1), p50: quantile(0.5), p90: quantile(0.9) };
}

/** Whether the job will take longer or shorter than its quote's p10 to p90; undefined while that is not clear. */
export function leavesQuote(
  { nowMs, startedMs, earlierMs, quoted, track }: Running,
  { total, isOfProgress }: Forecast,
) {
  if (quoted === null || startedMs === null) return undefined;
  const beforeMs = earlierMs + nowMs - startedMs;
  if (beforeMs > quoted.p90 * 1000) return 'longer';
  if (!isOfProgress || (track?.marks.length ?? 0) < clearMarks) return undefined;
  if (total.p50 > quoted.p90 * 1000) return 'longer';
  return total.p50 < quoted.p10 * 1000 ? 'shorter' : undefined;
}

/** Fewer marks may be of the first, slow steps. */
const clearMarks = 4;
