import { kindOf } from '../catalogue/tables.ts';
import { isWellKnown } from '../../src/quotes/prior.ts';
import { resolveWork } from '../../src/quotes/work.ts';
import type { Family } from '../../src/quotes/share.ts';
import type { Run, Tables } from './compact.ts';
import { regress } from './linear.ts';
import { intervalOf, quantile, scoreOf, type Interval, type Outcome, type Ranged, type Score } from './score.ts';
import { fitShare, observeAll, observeRun, predictLogShare, type Observation } from './share-model.ts';

export type Strata = Record<'wellKnown' | 'other', Interval & { rows: number }>;

export type RunReport = {
  scores: Record<string, Score>;
  /** Of the 80 % interval: all runs together, and each kind of run. */
  interval: Interval;
  strata: Strata;
  /** Language models and mixtures of 2 billion parameters or more. */
  largeLanguage: Score;
  spread: Spread;
  /** `share` is what the run kept of the peak. */
  outcomes: (Ranged & { accelerator: string; share: number })[];
};

/** What is left in ln(actual ÷ predicted), as standard deviations: between groups, and among the runs of one. */
export type Spread = {
  betweenGroups: number;
  withinGroup: number;
  /** Median error of a fit that has seen the very runs, and their groups with them: what no terms of these can beat. */
  seenMedianErrorPercent: number;
};

type Known = { run: Run; observed: Observation; hours: number };

/**
 * Whole public runs of which nothing is known but the spec: accelerator-hours, leaving one group out (a team, or a family of
 * models), and with it every steady rate that the same hands published.
 */
export function evaluateRuns(tables: Tables): RunReport {
  const observations = observeAll(tables);
  const runs = tables.runs.flatMap((run) => {
    const observed = observeRun(run, tables.hardware);
    return observed === undefined ? [] : [{ run, observed, hours: run.acceleratorHours }];
  });
  const tested = [...Map.groupBy(runs, ({ run }) => run.group)].flatMap(([group, own]) => {
    const others = runs.filter(({ run }) => run.group !== group);
    const fit = fitShare(observations.filter(({ origin }) => origin !== group));
    return own.map((known) => ({
      known,
      ours: hoursAt(known, Math.exp(predictLogShare(fit, known.observed.point))),
      baselines: baselinesOf(known, others),
    }));
  });
  const outcomes = tested.map(({ known: { run, hours, observed }, ours }) => ({
    name: run.name,
    share: Math.exp(observed.logShare),
    accelerator: run.accelerator,
    origin: run.group,
    predicted: ours,
    actual: hours,
    deviation: isWellKnown(resolveWork(run.workload), servedKind(run.accelerator))
      ? wellKnownDeviation
      : otherDeviation,
  }));
  return {
    scores: {
      weir: scoreOf(outcomes),
      ...Object.fromEntries(
        Object.keys(tested[0]?.baselines ?? {}).map((name) => [
          name,
          scoreOf(tested.map(({ known: { run, hours }, baselines }) => outcome(run, hours, baselines[name] ?? NaN))),
        ]),
      ),
    },
    interval: intervalOf(outcomes, 0.8),
    largeLanguage: scoreOf(outcomes.filter((_, at) => isLargeLanguage(tested[at]?.known))),
    spread: spreadOf(outcomes, seenError(runs, observations)),
    strata: {
      wellKnown: stratumOf(outcomes, wellKnownDeviation),
      other: stratumOf(outcomes, otherDeviation),
    },
    outcomes,
  };
}

function isLargeLanguage(known: Known | undefined): boolean {
  const { kind, parameters } = known?.observed.point ?? {};
  return (kind === 'llm' || kind === 'moe') && (parameters ?? 0) >= 2e9;
}

/** By the usual analysis of variance with groups of unequal size. */
function spreadOf(outcomes: readonly Ranged[], seenMedianErrorPercent: number): Spread {
  const groups = [...Map.groupBy(outcomes, ({ origin }) => origin).values()].map((own) =>
    own.map(({ predicted, actual }) => Math.log(actual / predicted)),
  );
  const within = groups.flatMap((own) => own.map((each) => each - mean(own)));
  const variance = sumOfSquares(within) / (outcomes.length - groups.length);
  const total = sumOfSquares(groups.flat()) / outcomes.length;
  const rounded = (value: number): number => Number(Math.sqrt(value).toFixed(3));
  return { betweenGroups: rounded(total - variance), withinGroup: rounded(variance), seenMedianErrorPercent };
}

function seenError(runs: readonly Known[], observations: readonly Observation[]): number {
  const fit = fitShare(observations);
  return scoreOf(
    runs.map((known) =>
      outcome(known.run, known.hours, hoursAt(known, Math.exp(predictLogShare(fit, known.observed.point)))),
    ),
  ).medianErrorPercent;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const sumOfSquares = (values: readonly number[]): number => values.reduce((sum, value) => sum + value ** 2, 0);

/** How far the two kinds of run lie apart, one against the other; the measured multiple sets the scale. */
const wellKnownDeviation = 0.43;
const otherDeviation = 0.56;

function stratumOf(outcomes: readonly Ranged[], deviation: number): Interval & { rows: number } {
  const own = outcomes.filter((each) => each.deviation === deviation).map((each) => ({ ...each, deviation: 1 }));
  return { rows: own.length, ...intervalOf(own, 0.8) };
}

export function servedKind(accelerator: string): string {
  return kindOf[accelerator.replace('H800', 'H100')] ?? accelerator;
}

const outcome = ({ name }: Run, actual: number, predicted: number): Outcome => ({ name, predicted, actual });

/** Accelerator-hours at this share of the peak, of a run whose own share is known. */
function hoursAt({ observed, hours }: Known, share: number): number {
  return (hours * Math.exp(observed.logShare)) / share;
}

const familyShares: Partial<Record<Family, number>> = { ampere: 0.4, hopper: 0.35, tpu: 0.35, volta: 0.25 };

function baselinesOf(known: Known, others: readonly Known[]): Record<string, number> {
  const { run, observed } = known;
  const { family } = observed.point;
  const kin = others.filter((other) => other.observed.point.family === family);
  const kinShare = quantile(
    (kin.length === 0 ? others : kin).map((other) => Math.exp(other.observed.logShare)),
    0.5,
  );
  const hoursPerParameter = quantile(
    others.map((other) => other.hours / (other.run.workload.parameters ?? NaN)),
    0.5,
  );
  return {
    'constant MFU .30': hoursAt(known, 0.3),
    'constant MFU by family': hoursAt(known, familyShares[family] ?? 0.3),
    'median MFU of the family': hoursAt(known, kinShare),
    'log-MFU regression': hoursAt(known, regressed(known, others)),
    'linear law C = k·S': hoursPerParameter * (run.workload.parameters ?? NaN),
    'one hour': run.count ?? 512,
  };
}

/** The regression that the baselines were measured with: size and its square, count, generation, kind, length; runs only. */
function regressed(known: Known, others: readonly Known[]): number {
  const rowOf = ({ observed: { point } }: Known): number[] => {
    const size = Math.log((point.parameters ?? 7e9) / 7e9);
    return [
      1,
      ...(['hopper', 'volta', 'tpu'] as const).map((family) => (point.family === family ? 1 : 0)),
      ...(['moe', 'vision', 'encoder'] as const).map((kind) => (point.kind === kind ? 1 : 0)),
      size,
      size ** 2,
      Math.log(point.count / 512),
      Math.log((point.sequenceLength ?? 2048) / 2048),
    ];
  };
  const rows = others.map(rowOf);
  const values = regress({
    rows,
    values: others.map(({ observed }) => observed.logShare),
    weights: rows.map(() => 1),
    beliefs: rowOf(known).map((_, at) => ({ mean: 0, deviation: at === 0 ? 2 : 0.5 })),
    noise: 0.35,
  });
  return Math.exp(rowOf(known).reduce((sum, value, at) => sum + value * (values[at] ?? 0), 0));
}
