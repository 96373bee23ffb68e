import { resolveWork } from '../../src/quotes/work.ts';
import { isWellKnown } from '../../src/quotes/prior.ts';
import { servedKind, type Strata } from './evaluate-runs.ts';
import type { Run, Tables } from './compact.ts';
import { scoreOf, type Score } from './score.ts';
import { fitShare, observeAll, observeElsewhere, observeRun, predictLogShare } from './share-model.ts';

/** A run with what a fit of others' rows says of it, in accelerator-hours. */
export type Predicted = Run & { p10: number; p50: number; p90: number; isCovered: boolean };

export type ElsewhereReport = {
  runs: Predicted[];
  score: Score;
  coveragePercent: number;
  /** The median error of the tables' own runs once these are in the fit too. */
  tablesMedianErrorPercent: number;
};

/**
 * Runs that papers and model cards tell of and the tables do not: as the shipped coefficients, which take them in, would quote each
 * without its group. The intervals are those that the tables' runs gave.
 */
export function evaluateElsewhere(tables: Tables, strata: Strata): ElsewhereReport {
  const predictedOf = predictorWithout(tables);
  const runs = tables.elsewhere.map((run) => {
    const p50 = predictedOf(run);
    const halfWidth = halfWidthOf(run, strata);
    const [p10, p90] = [p50 / halfWidth, p50 * halfWidth];
    return { ...run, p10, p50, p90, isCovered: p10 <= run.acceleratorHours && run.acceleratorHours <= p90 };
  });
  const scored = (each: Run, predicted: number) => ({ name: each.name, predicted, actual: each.acceleratorHours });
  const ofTables = tables.runs.map((run) => scored(run, predictedOf(run)));
  return {
    runs,
    score: scoreOf(runs.map((run) => scored(run, run.p50))),
    coveragePercent: Math.round((100 * runs.filter(({ isCovered }) => isCovered).length) / runs.length),
    tablesMedianErrorPercent: scoreOf(ofTables.filter(({ predicted }) => !Number.isNaN(predicted))).medianErrorPercent,
  };
}

/** Accelerator-hours of a run, by a fit of every row of other groups; NaN of what weir does not serve. */
function predictorWithout(tables: Tables): (run: Run) => number {
  const observations = [...observeAll(tables), ...observeElsewhere(tables)];
  const fits = new Map(
    [...tables.runs, ...tables.elsewhere].map(({ group }) => [
      group,
      fitShare(observations.filter(({ origin }) => origin !== group)),
    ]),
  );
  return (run) => {
    const observed = observeRun(run, tables.hardware);
    const fit = fits.get(run.group);
    if (observed === undefined || fit === undefined) return NaN;
    return run.acceleratorHours * Math.exp(observed.logShare - predictLogShare(fit, observed.point));
  };
}

/** As src/quotes/prior.ts has it, where nothing but the kind of model and the accelerator is known. */
function halfWidthOf({ workload, accelerator }: Run, strata: Strata): number {
  const isKnown = isWellKnown(resolveWork(workload), servedKind(accelerator));
  return strata[isKnown ? 'wellKnown' : 'other'].medianHalfWidthFactor;
}
