/** What was predicted of one row, and what it was. */
export type Outcome = { name: string; predicted: number; actual: number };

export type Score = { rows: number; medianErrorPercent: number; meanErrorPercent: number; p90ErrorPercent: number };

export function scoreOf(outcomes: readonly Outcome[]): Score {
  const errors = outcomes.map(({ predicted, actual }) => Math.abs(predicted / actual - 1));
  return {
    rows: outcomes.length,
    medianErrorPercent: percent(quantile(errors, 0.5)),
    meanErrorPercent: percent(errors.reduce((sum, error) => sum + error, 0) / errors.length),
    p90ErrorPercent: percent(quantile(errors, 0.9)),
  };
}

/** A prediction with the deviation (in logs) that its interval is a multiple of, left out together with its origin. */
export type Ranged = Outcome & { origin: string; deviation: number };

export type Interval = { coveragePercent: number; medianHalfWidthFactor: number; multiple: number };

/**
 * Split-conformal intervals: each row's is its own deviation times a multiple, the ⌈(m+1)·coverage⌉-th smallest of
 * |ln(actual ÷ predicted)| ÷ deviation among rows of other origins. `multiple` is that of all rows, for the next one.
 */
export function intervalOf(rows: readonly Ranged[], coverage: number): Interval {
  const scores = rows.map(
    ({ predicted, actual, deviation, origin }) => [Math.abs(Math.log(actual / predicted)) / deviation, origin] as const,
  );
  const multiples = new Map(
    [...new Set(rows.map(({ origin }) => origin))].map((origin) => [
      origin,
      conformal(
        scores.filter(([, each]) => each !== origin).map(([score]) => score),
        coverage,
      ),
    ]),
  );
  const halfWidths = rows.map(({ origin, deviation }) => deviation * (multiples.get(origin) ?? Infinity));
  const covered = rows.filter(
    ({ predicted, actual }, at) => Math.abs(Math.log(actual / predicted)) <= (halfWidths[at] ?? 0),
  );
  return {
    coveragePercent: percent(covered.length / rows.length),
    medianHalfWidthFactor: Number(Math.exp(quantile(halfWidths, 0.5)).toFixed(3)),
    multiple: Number(
      conformal(
        scores.map(([score]) => score),
        coverage,
      ).toFixed(4),
    ),
  };
}

function conformal(scores: readonly number[], coverage: number): number {
  const rank = Math.ceil((scores.length + 1) * coverage);
  return scores.toSorted(ascending)[rank - 1] ?? Infinity;
}

const ascending = (left: number, right: number): number => left - right;

/** The middle two are averaged for a median of an even number. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted(ascending);
  const at = part * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(at)] ?? NaN, sorted[Math.ceil(at)] ?? NaN];
  return low + (high - low) * (at - Math.floor(at));
}

export function percent(share: number): number {
  return Math.round(share * 10_000) / 100;
}
