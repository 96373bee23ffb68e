import { priorOf } from './prior.ts';
import type { Work } from './work.ts';

export type Percentiles = { p10: number; p50: number; p90: number };

/** One finished job: ln(actual ÷ what the model alone predicts), and how its quote had done. */
export type Residual = { logRatio: number; errorPercent: number; isCovered: boolean };

/** What a group of finished jobs says about the next: by how much the model is off, and within what range. */
export type Calibration = {
  runs: number;
  /** Median of the log ratios. */
  centre: number;
  /** Of the 80 % interval, in logs; null with too few runs to say. */
  halfWidth: number | null;
  medianErrorPercent: number;
  coveragePercent: number;
};

/** The same description of work on the same kind of accelerator, from the nearest jobs to all. */
export type Evidence = {
  sameName: Calibration | undefined;
  tenant: Calibration | undefined;
  all: Calibration | undefined;
};

/** How to turn the model's prediction into a distribution. */
export type Spread = { shift: number; halfWidth: number; calibration: Calibration | undefined; isOfSameName: boolean };

const coverage = 0.8;

/** No interval is narrower than ×1.03: machines of one type differ by that much. */
const narrowest = Math.log(1.03);

/** Repeat runs of one job with less history than conformal prediction needs are held to no less than this. */
const narrowestOfFewRuns = Math.log(1.3);

/** A pool of other jobs says something from here on (nine residuals support a 90 % interval). */
const poolRuns = 9;

/** The spread around a prediction, from the nearest group that can say: same name, tenant, all, and else public runs. */
export function spreadOf(work: Work, accelerator: string, { sameName, tenant, all }: Evidence): Spread {
  const prior = priorOf(work, accelerator);
  if (sameName !== undefined) {
    // Runs of one name differ far less than names do, so even one run counts for nearly all.
    const shift = sameName.centre * (sameName.runs / (sameName.runs + 0.1));
    const ofFewRuns = Math.max(narrowestOfFewRuns, prior.halfWidth / (1 + sameName.runs));
    return {
      shift,
      halfWidth: sameName.halfWidth ?? Math.min(prior.halfWidth, ofFewRuns),
      calibration: sameName,
      isOfSameName: true,
    };
  }
  const pool = [tenant, all].find((group) => group !== undefined && group.runs >= poolRuns);
  if (pool === undefined) return { ...prior, calibration: undefined, isOfSameName: false };
  return {
    shift: pool.centre * (pool.runs / (pool.runs + 3)),
    halfWidth: pool.halfWidth ?? prior.halfWidth,
    calibration: pool,
    isOfSameName: false,
  };
}

/** `seconds` as a distribution: shifted by what history says and spread evenly in logs, so never negative and never crossing. */
export function distribution(seconds: number, { shift, halfWidth }: Spread): Percentiles {
  const p50 = seconds * Math.exp(shift);
  return { p10: p50 * Math.exp(-halfWidth), p50, p90: p50 * Math.exp(halfWidth) };
}

/** Undefined for no residuals. */
export function calibrate(residuals: readonly Residual[]): Calibration | undefined {
  if (residuals.length === 0) return undefined;
  const logRatios = residuals.map(({ logRatio }) => logRatio);
  return {
    runs: residuals.length,
    centre: median(logRatios),
    halfWidth: conformalHalfWidth(logRatios),
    medianErrorPercent: median(residuals.map(({ errorPercent }) => errorPercent)),
    coveragePercent: (100 * residuals.filter(({ isCovered }) => isCovered).length) / residuals.length,
  };
}

/**
 * The ⌈(m+1)·0.8⌉-th smallest distance of a run from the median of the others, so that no run vouches for itself. Null where
 * m is too small for that rank to exist.
 */
function conformalHalfWidth(logRatios: readonly number[]): number | null {
  const rank = Math.ceil((logRatios.length + 1) * coverage);
  if (rank > logRatios.length) return null;
  const distances = logRatios.map((value, at) => Math.abs(value - median(logRatios.toSpliced(at, 1)))).sort(ascending);
  return Math.max(narrowest, distances[rank - 1] ?? 0);
}

const ascending = (left: number, right: number): number => left - right;

export function median(values: readonly number[]): number {
  const sorted = values.toSorted(ascending);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}
