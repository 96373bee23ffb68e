import { covariances, fitClasses, predictClass } from './class-model.ts';
import { classRows, medianOf, type ClassRow } from './class-rows.ts';
import type { Tables } from './compact.ts';
import { intervalOf, scoreOf, type Interval, type Ranged, type Score } from './score.ts';

export type ClassReport = {
  scores: Record<string, Score>;
  interval: Interval;
  outcomes: Ranged[];
};

type Tested = { at: number; fold: string };

/** Class and accelerator seen before, by others: leave one submitter out. */
export function evaluateSeen(tables: Tables): ClassReport {
  const rows = classRows(tables.benchmarks, tables.hardware);
  return evaluate(
    rows,
    submitterFolds(rows),
    (row, training) => training.some((other) => isPair(row, other)),
    (row) => row.submitter,
  );
}

/** The class seen on other accelerators, the accelerator in other classes, and never the two together: leave pairs out. */
export function evaluateNew(tables: Tables): ClassReport {
  const rows = classRows(tables.benchmarks, tables.hardware);
  const pairs = [...new Set(rows.map(pairOf))].toSorted();
  // Several pairs are left out at a time to save fits; a pair's own prediction has only less to go by.
  const folds = rows.map((row) => String(pairs.indexOf(pairOf(row)) % pairFolds));
  const isNew = (row: ClassRow, training: readonly ClassRow[]): boolean =>
    training.some((other) => other.class === row.class) &&
    training.some((other) => other.accelerator === row.accelerator);
  return evaluate(rows, folds, isNew, pairOf);
}

const pairFolds = 20;
const pairOf = (row: ClassRow): string => `${row.class} on ${row.accelerator}`;
const isPair = (left: ClassRow, right: ClassRow): boolean => pairOf(left) === pairOf(right);

/** Submitters with few rows are left out together, which takes no more than forty rows from the fit. */
function submitterFolds(rows: readonly ClassRow[]): string[] {
  const most = 40;
  const foldOf = new Map<string, string>();
  let [fold, filled] = [0, 0];
  for (const [submitter, own] of Map.groupBy(rows, (row) => row.submitter)) {
    if (own.length < most && filled + own.length > most) [fold, filled] = [fold + 1, 0];
    foldOf.set(submitter, own.length < most ? `small ${fold}` : submitter);
    if (own.length < most) filled += own.length;
  }
  return rows.map((row) => foldOf.get(row.submitter) ?? row.submitter);
}

function evaluate(
  rows: readonly ClassRow[],
  folds: readonly string[],
  isTested: (row: ClassRow, training: readonly ClassRow[]) => boolean,
  originOf: (row: ClassRow) => string,
): ClassReport {
  const shared = covariances(rows);
  const outcomes: Ranged[] = [];
  const baselines = new Map<string, Ranged[]>();
  const indexed = rows.map((_, at): Tested => ({ at, fold: folds[at] ?? '' }));
  for (const [fold, tested] of Map.groupBy(indexed, (each) => each.fold)) {
    const training = indexed.filter((each) => each.fold !== fold).map(({ at }) => at);
    const others = training.map((at) => rows[at] as ClassRow);
    const asked = tested.filter(({ at }) => isTested(rows[at] as ClassRow, others));
    if (asked.length === 0) continue;
    const fit = fitClasses(rows, shared, training);
    for (const { at } of asked) {
      const row = rows[at] as ClassRow;
      const { value, deviation } = predictClass(rows, shared, fit, at);
      const toOutcome = (log: number): Ranged => ({
        name: `${row.round} ${row.submitter} ${pairOf(row)}:${row.count}`,
        origin: originOf(row),
        predicted: Math.exp(log + row.logSamples),
        actual: row.minutes,
        deviation,
      });
      outcomes.push(toOutcome(value));
      for (const [name, log] of Object.entries(baselinesOf(row, others)))
        baselines.set(name, [...(baselines.get(name) ?? []), toOutcome(log)]);
    }
  }
  const scores = Object.fromEntries(
    [['weir', outcomes] as const, ...baselines].map(([name, all]) => [name, scoreOf(all)]),
  );
  return { scores, interval: intervalOf(outcomes, 0.8), outcomes };
}

/** As ln(minutes), a sample where the class's samples are known. */
function baselinesOf(row: ClassRow, others: readonly ClassRow[]): Record<string, number> {
  const peers = others.filter((other) => other.class === row.class);
  const pairs = peers.filter((other) => isPair(row, other));
  const nearest = pairs.length > 0 ? pairs : peers;
  const work = (other: ClassRow): number => other.value + Math.log(other.count);
  const ofPeak = (other: ClassRow): number => work(other) + other.logPeak;
  return {
    // One share of the peak for the class, whatever the machine.
    'constant MFU': medianOf(peers.map(ofPeak)) - row.logPeak - Math.log(row.count),
    'same accelerator, perfect scaling': medianOf(nearest.map(work)) - Math.log(row.count),
    // Of the study: cost follows the scale of the model alone, which is the class's.
    'linear law C = k·S':
      medianOf(peers.map((other) => other.value + other.logSamples + Math.log(other.count))) -
      row.logSamples -
      Math.log(row.count),
    'one hour': Math.log(60) - row.logSamples,
  };
}

export type PilotReport = {
  scores: Record<string, Score>;
  interval: Interval;
  /** The same without Stable Diffusion, whose logged rate and samples contradict its own duration. */
  consistent: { scores: Record<string, Score>; interval: Interval };
  overheads: Record<string, number>;
};

const contradicting = new Set(['stable_diffusion']);

/**
 * A pilot of 50 to 100 steps: the run's own logged rate and samples, times what other submitters' runs of the class took beyond
 * their training steps (evaluation, start-up).
 */
export function evaluatePilot({ benchmarks }: Tables): PilotReport {
  const logged = benchmarks.flatMap((row) => {
    if (row.samples === null || row.throughput === null) return [];
    // GPT-3 logs tokens, of which a sample has 2,048.
    const perSecond = row.class === 'gpt3' ? row.throughput / 2048 : row.throughput;
    return [{ row, steady: row.samples / perSecond / 60 }];
  });
  const overheadOf = (name: string, without: string | null): number =>
    medianOf(
      logged
        .filter(({ row }) => row.class === name && row.submitter !== without)
        .map(({ row, steady }) => row.minutes / steady),
    );
  const outcomes = logged.map(({ row, steady }) => ({
    name: `${row.round} ${row.submitter} ${row.class} on ${row.accelerator}:${row.count}`,
    origin: row.submitter,
    class: row.class,
    predicted: steady * overheadOf(row.class, row.submitter),
    steady,
    actual: row.minutes,
    deviation: 1,
  }));
  const summary = (rows: typeof outcomes) => ({
    scores: {
      weir: scoreOf(rows),
      'logged rate alone': scoreOf(rows.map((row) => ({ ...row, predicted: row.steady }))),
      'one hour': scoreOf(rows.map((row) => ({ ...row, predicted: 60 }))),
    },
    interval: intervalOf(rows, 0.9),
  });
  const classes = [...new Set(logged.map(({ row }) => row.class))].toSorted();
  return {
    ...summary(outcomes),
    consistent: summary(outcomes.filter((row) => !contradicting.has(row.class))),
    overheads: Object.fromEntries(classes.map((name) => [name, Number(overheadOf(name, null).toFixed(4))])),
  };
}
