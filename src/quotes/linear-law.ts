import { median } from './interval.ts';

/** A finished job: the scale S of its model or work, and what it took of something. */
export type Point = { scale: number; amount: number };

export type LinearLaw = {
  /** The amount per unit of scale: k of C = k·S, r of R = r·S. */
  coefficient: number;
  medianErrorPercent: number;
  p90ErrorPercent: number;
};

/**
 * The linear law of the founding study, amount = coefficient · S, fitted on finished jobs: the median of the ratios, which no odd job
 * moves. Its errors are of each job against the law fitted on all the others, as a quote would have had it. Undefined for
 * fewer than two jobs.
 */
export function fitLinearLaw(points: readonly Point[]): LinearLaw | undefined {
  if (points.length < 2) return undefined;
  const logRatios = points.map(({ scale, amount }) => Math.log(amount / scale)).toSorted((a, b) => a - b);
  const errors = logRatios
    .map((own, at) => 100 * Math.abs(Math.expm1(medianWithout(logRatios, at) - own)))
    .toSorted((a, b) => a - b);
  return {
    coefficient: Math.exp(median(logRatios)),
    medianErrorPercent: median(errors),
    p90ErrorPercent: errors[Math.ceil(0.9 * errors.length) - 1] ?? 0,
  };
}

/** The median of sorted values but one, without sorting again. */
function medianWithout(sorted: readonly number[], leftOut: number): number {
  const valueAt = (index: number): number => sorted[index < leftOut ? index : index + 1] ?? 0;
  const left = sorted.length - 1;
  const middle = left >> 1;
  return left % 2 === 1 ? valueAt(middle) : (valueAt(middle - 1) + valueAt(middle)) / 2;
}
