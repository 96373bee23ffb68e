import { resolveWork } from '../../src/quotes/work.ts';
import { priorOf, type OfRuns } from '../../src/quotes/prior.ts';
import { servedKind } from './evaluate-runs.ts';
import type { Run, Tables } from './compact.ts';
import { scoreOf, type Score } from './score.ts';
import {
  fitShare,
  observeAll,
  observeElsewhere,
  observeRun,
  predictLogShare,
  withBatch,
  type Observation,
} from './share-model.ts';

/** A run with what a fit of others' rows says of it, in accelerator-hours. */
export type Predicted = Run & { p10: number; p50: number; p90: number; isCovered: boolean };

export type ElsewhereReport = {
  runs: Predicted[];
  score: Score;
  coveragePercent: number;
  /** How many lie within, by how wide their interval is. */
  coverageByWidth: { factor: string; runs: number; covered: number }[];
  /** The median error of the tables' own runs once these are in the fit too. */
  tablesMedianErrorPercent: number;
  /** Of those whose batch is known: with it left out, and stated. */
  batch: { unstated: Score; stated: Score };
};

/**
 * Runs that papers and model cards tell of and the tables do not: as the shipped coefficients, which take them in, would quote each
 * without its group. The intervals are those of such quotes, by `ofRuns` where these are just measured.
 */
export function evaluateElsewhere(tables: Tables, ofRuns?: OfRuns): ElsewhereReport {
  const { predictedOf, predictedWithBatch } = predictorsWithout(tables);
  const runs = tables.elsewhere.map((run) => {
    const p50 = predictedOf(run);
    const halfWidth = Math.exp(priorOf(resolveWork(run.workload), servedKind(run.accelerator), ofRuns).halfWidth);
    const [p10, p90] = [p50 / halfWidth, p50 * halfWidth];
    return { ...run, p10, p50, p90, isCovered: p10 <= run.acceleratorHours && run.acceleratorHours <= p90 };
  });
  const scored = (each: Run, predicted: number) => ({ name: each.name, predicted, actual: each.acceleratorHours });
  const ofTables = tables.runs.map((run) => scored(run, predictedOf(run)));
  const withBatches = tables.elsewhere.flatMap((run) => {
    const predicted = predictedWithBatch(run);
    return predicted === undefined ? [] : [{ run, predicted }];
  });
  return {
    runs,
    score: scoreOf(runs.map((run) => scored(run, run.p50))),
    coveragePercent: Math.round((100 * runs.filter(({ isCovered }) => isCovered).length) / runs.length),
    coverageByWidth: coverageByWidth(runs),
    tablesMedianErrorPercent: scoreOf(ofTables.filter(({ predicted }) => !Number.isNaN(predicted))).medianErrorPercent,
    batch: {
      unstated: scoreOf(withBatches.map(({ run }) => scored(run, predictedOf(run)))),
      stated: scoreOf(withBatches.map(({ run, predicted }) => scored(run, predicted))),
    },
  };
}

function coverageByWidth(runs: readonly Predicted[]): ElsewhereReport['coverageByWidth'] {
  const groups = Map.groupBy(runs, ({ p50, p90 }) => (p90 / p50).toFixed(1));
  return [...groups]
    .map(([factor, of]) => ({ factor, runs: of.length, covered: of.filter(({ isCovered }) => isCovered).length }))
    .toSorted((left, right) => Number(left.factor) - Number(right.factor));
}

type Predictors = { predictedOf: (run: Run) => number; predictedWithBatch: (run: Run) => number | undefined };

/** Accelerator-hours of a run, by a fit of every row of other groups; NaN of what weir does not serve. */
function predictorsWithout(tables: Tables): Predictors {
  const observations = [...observeAll(tables), ...observeElsewhere(tables)];
  const fits = new Map(
    [...tables.runs, ...tables.elsewhere].map(({ group }) => [
      group,
      fitShare(observations.filter(({ origin }) => origin !== group)),
    ]),
  );
  const hoursAt = ({ group, acceleratorHours }: Run, { logShare, point }: Observation): number => {
    const fit = fits.get(group);
    return fit === undefined ? NaN : acceleratorHours * Math.exp(logShare - predictLogShare(fit, point));
  };
  return {
    predictedOf: (run) => {
      const observed = observeRun(run, tables.hardware);
      return observed === undefined ? NaN : hoursAt(run, observed);
    },
    predictedWithBatch: (run) => {
      const observed = observeRun(run, tables.hardware);
      const stated = observed === undefined ? undefined : withBatch(run, observed);
      return stated === undefined ? undefined : hoursAt(run, stated);
    },
  };
}
