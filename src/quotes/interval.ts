import { priorOf } from './prior.ts';
import type { Work } from './work.ts';

export type Percentiles = { p10: number; p50: number; p90: number };

/** One finished job: ln(actual ÷ what the model alone predicts), and how its quote had done. */
export type Residual = { logRatio: number; errorPercent: number; isCovered: boolean };

/** What a group of finished jobs says about the next: by how much the model is off, and within what range. */
export type Calibration = {
  runs: number;
  /** Weighted median of the log ratios. */
  centre: number;
  /** Of the 80 % interval, in logs; null with too few runs to say. */
  halfWidth: number | null;
  /** Standard deviation of the log ratios; of one run 0. */
  deviation: number;
  /** How far the outermost run lies from the centre. */
  reach: number;
  medianErrorPercent: number;
  coveragePercent: number;
};

/**
 * Finished jobs with the same description of work on the same kind of accelerator, from the nearest to all. `sameName` holds
 * every run of the job; the others the newest run of each name, since a thousand runs of one name say of another what one says.
 */
export type Evidence = {
  sameName?: Calibration | undefined;
  /** ln(what it took ÷ model) of the newest runs of the name, where they were stopped at their maxDuration: the whole takes longer. */
  atLeast?: number | undefined;
  tenant?: Calibration | undefined;
  /** Of the same kind of model, whosever it is. */
  workloadClass?: Calibration | undefined;
  all?: Calibration | undefined;
  /** A short run of this very job, just now. */
  pilot?: PilotEvidence | undefined;
};

/** A pilot's ln(measured ÷ model), on so many accelerators, and the half-width of its 80 % interval. */
export type PilotEvidence = { logRatio: number; halfWidth: number; count: number };

/** How to turn the model's prediction into a distribution. */
export type Spread = {
  shift: number;
  halfWidth: number;
  calibration: Calibration | undefined;
  isOfSameName: boolean;
  /** Where a pilot ran, to which the half-width applies; on another count it is at least `halfWidthElsewhere`. */
  measuredOn?: number;
  /** Whether the last run of the name, which was stopped, told that it takes longer. */
  isBeyondStopped?: boolean;
};

const coverage = 0.8;

/** Of a normal distribution, from its middle to the end of its 80 % interval, in standard deviations. */
const deviationsOf80 = 1.2816;

/** No interval is narrower than ×1.03: machines of one type differ by that much. */
const narrowest = Math.log(1.03);

/** Repeat runs of one job with less history than conformal prediction needs are held to no less than this. */
const narrowestOfFewRuns = Math.log(1.3);

/** Repeat runs of one job differ by about this, in logs, where its own runs do not say. */
const usualDeviation = 0.1;

/** A pool narrows the interval from here on (nine residuals support a 90 % interval). */
const poolRuns = 9;

/** A tenant's own jobs correct the middle from here on; fewer could be led astray by one odd job. */
const correctingRuns = 3;

/**
 * The spread around a prediction. Public runs say it first; then each nearer group of finished jobs moves the middle towards its
 * own, the more the more jobs it has, and with enough of them its range takes over.
 */
export function spreadOf(
  work: Work,
  accelerator: string,
  { sameName, atLeast, tenant, workloadClass, all, pilot }: Evidence,
): Spread {
  const prior: Spread = { ...priorOf(work, accelerator), calibration: undefined, isOfSameName: false };
  const ofAll = withPool(prior, all, poolRuns);
  const ofClass = withPool(ofAll, workloadClass, poolRuns);
  if (pilot === undefined) return beyond(withRuns(withPool(ofClass, tenant, correctingRuns), sameName), atLeast);
  const { logRatio: shift, halfWidth, count: measuredOn } = pilot;
  return { shift, halfWidth, measuredOn, calibration: undefined, isOfSameName: false };
}

/** What is left of a spread when all below is ruled out; ruled out whole, as far above as it reached before. */
function beyond(spread: Spread, least: number | undefined): Spread {
  const { shift, halfWidth } = spread;
  if (least === undefined || least <= shift - halfWidth) return spread;
  const most = Math.max(shift, least) + halfWidth;
  return { ...spread, shift: (least + most) / 2, halfWidth: (most - least) / 2, isBeyondStopped: true };
}

/** From a measured count to another, the scaling is the model's: as sure as for a class of work seen on that accelerator. */
const halfWidthElsewhere = Math.log(1.23);

/** The spread as it holds for so many accelerators. */
export function spreadAt(spread: Spread, count: number): Spread {
  const { measuredOn = count, halfWidth } = spread;
  return measuredOn === count ? spread : { ...spread, halfWidth: Math.max(halfWidth, halfWidthElsewhere) };
}

function withPool(wider: Spread, pool: Calibration | undefined, fromRuns: number): Spread {
  if (pool === undefined || pool.runs < fromRuns) return wider;
  // The measured shrinkage of a customer's k jobs is k/(k+1).
  const shift = towards(wider.shift, pool.centre, pool.runs / (pool.runs + 1));
  const isNarrowing = pool.halfWidth !== null && pool.runs >= poolRuns;
  return {
    shift,
    // Where the middle stops short of the pool's own, the range still reaches as far.
    halfWidth: isNarrowing
      ? (pool.halfWidth ?? 0) + Math.abs(pool.centre - shift)
      : Math.max(wider.halfWidth, pool.reach),
    calibration: pool,
    isOfSameName: false,
  };
}

/** Runs of one name differ far less than names do, and names by no less than these show: even one run counts for nearly all. */
function withRuns(wider: Spread, runs: Calibration | undefined): Spread {
  if (runs === undefined) return wider;
  const distance = Math.abs(runs.centre - wider.shift);
  const between = Math.max(wider.halfWidth / deviationsOf80, distance) ** 2;
  const within = usualDeviation ** 2 / runs.runs;
  const shift = towards(wider.shift, runs.centre, between / (between + within));
  const known = Math.max(wider.halfWidth, Math.min(distance, narrowestOfFewRuns));
  const halfWidth = runs.halfWidth ?? halfWidthOfFew(known, runs);
  return { shift, halfWidth: halfWidth + Math.abs(runs.centre - shift), calibration: runs, isOfSameName: true };
}

/** 90 % quantile of Student's t by degrees of freedom, from one. */
const studentT90 = [3.078, 1.886, 1.638, 1.533];

/** Too few for a conformal interval: what so few runs allow for a normal distribution, between floor and what was known before. */
function halfWidthOfFew(before: number, { runs, deviation, reach }: Calibration): number {
  const quantile = studentT90[Math.min(runs - 1, studentT90.length) - 1] ?? 0;
  const predictive = quantile * deviation * Math.sqrt(1 + 1 / runs);
  return Math.max(Math.min(before, Math.max(narrowestOfFewRuns, before / (1 + runs), predictive)), reach);
}

const towards = (from: number, to: number, share: number): number => from + (to - from) * share;

/** `seconds` as a distribution: shifted by what history says and spread evenly in logs, so never negative and never crossing. */
export function distribution(seconds: number, { shift, halfWidth }: Pick<Spread, 'shift' | 'halfWidth'>): Percentiles {
  const p50 = seconds * Math.exp(shift);
  return { p10: p50 * Math.exp(-halfWidth), p50, p90: p50 * Math.exp(halfWidth) };
}

/**
 * What residuals say, newest first: the weight of each is half that of the one `halfLifeRuns` newer, so that a job which became
 * slower is soon quoted so. Undefined for none.
 */
export function calibrate(residuals: readonly Residual[], halfLifeRuns = 20): Calibration | undefined {
  if (residuals.length === 0) return undefined;
  const weighted = residuals
    .map(({ logRatio }, age) => ({ value: logRatio, weight: 2 ** (-age / halfLifeRuns) }))
    .toSorted(byValue);
  const centre = weightedMedian(weighted);
  const deviations = weighted.map(({ value }) => value - centre);
  return {
    runs: residuals.length,
    centre,
    halfWidth: conformalHalfWidth(weighted),
    deviation: Math.sqrt(sum(deviations.map((each) => each ** 2)) / Math.max(1, residuals.length - 1)),
    reach: Math.max(...deviations.map(Math.abs)),
    medianErrorPercent: median(residuals.map(({ errorPercent }) => errorPercent)),
    coveragePercent: (100 * residuals.filter(({ isCovered }) => isCovered).length) / residuals.length,
  };
}

type Weighted = { value: number; weight: number };

const byValue = (left: Weighted, right: Weighted): number => left.value - right.value;

/**
 * Weighted conformal prediction (Barber et al. 2023, "Conformal prediction beyond exchangeability"): the smallest distance of a
 * run from the median of the others, so that no run vouches for itself, within which 80 % of all weight lies, the next run's
 * own (1, as the newest) counted as lying beyond. Null where so much is not to be had: it takes a weight of four.
 */
function conformalHalfWidth(sorted: readonly Weighted[]): number | null {
  const needed = coverage * (sum(sorted.map(({ weight }) => weight)) + 1);
  const distances = sorted
    .map(({ value, weight }, at) => ({ value: Math.abs(value - weightedMedian(sorted, at)), weight }))
    .toSorted(byValue);
  let within = 0;
  for (const { value, weight } of distances) {
    within += weight;
    if (within >= needed) return Math.max(narrowest, value);
  }
  return null;
}

/** Where half of the weight lies on either side, one left out; between two where it lies just between them. */
function weightedMedian(sorted: readonly Weighted[], leftOut = -1): number {
  const half = (sum(sorted.map(({ weight }) => weight)) - (sorted[leftOut]?.weight ?? 0)) / 2;
  let below = 0;
  let last: number | undefined;
  for (const [at, { value, weight }] of sorted.entries()) {
    if (at === leftOut) continue;
    if (last !== undefined) return (last + value) / 2;
    below += weight;
    if (Math.abs(below - half) < 1e-9) last = value;
    else if (below > half) return value;
  }
  return last ?? 0;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}
