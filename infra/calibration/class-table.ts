import { kindOf } from '../catalogue/tables.ts';
import { covariances, effects, effectSizes, fitClasses, predictClass } from './class-model.ts';
import { classRows, medianOf, type ClassRow } from './class-rows.ts';
import type { Tables } from './compact.ts';
import { quantile } from './score.ts';

/** A straight line of logs: ln y = intercept + slope · ln x. */
type Line = { intercept: number; slope: number };

/**
 * The model of classes as the service reads it: for each class what its results trained on, and for each class on an accelerator
 * that weir may sell a polynomial in gang and batch, corrected at the counts seen.
 */
export type ClassEntry = {
  class: string;
  kind: string;
  rows: number;
  /** The newest round with the pair, or with the class: the software that is meant. */
  round: string;
  /** ln(minutes), or ln(minutes a sample), as intercept and multiples of g, g²/3, b, b²/3 and g·b/3: g = ln(count) - 3, b = ln(batch a count) - batchCentre. */
  terms: [number, number, number, number, number, number];
  /** What is added at a count, by whole log2. */
  atCount: Record<string, number>;
  /** Deviation of a result from the model, as far as the model can tell. */
  deviation: number;
};

export type ClassSamples = {
  class: string;
  batchCentre: number;
  /** Global batch by count. */
  batch: Line;
  /** Samples to the target by global batch, and between what nearly all lie; null where results do not tell. */
  samples: (Line & { least: number; most: number }) | null;
  /** Counts that results have. */
  counts: { least: number; most: number };
};

const served = Object.entries(kindOf);

export function classTable(tables: Tables): { entries: ClassEntry[]; samples: ClassSamples[]; rows: number } {
  const rows = classRows(tables.benchmarks, tables.hardware);
  const classes = [...new Set(rows.map((row) => row.class))].toSorted();
  // What is asked of the model stands behind the rows that it learns from: one usual run of each class on each accelerator.
  const asked = classes.flatMap((name) => served.flatMap(([accelerator]) => usualRow(rows, name, accelerator) ?? []));
  const all = [...rows, ...asked];
  const shared = covariances(all);
  const fit = fitClasses(
    all,
    shared,
    rows.map((_, at) => at),
  );
  const sizes = effectSizes(all, fit);
  const entries = asked.map((row, at) => ({
    class: row.class,
    kind: kindOf[row.accelerator] ?? row.accelerator,
    rows: rows.filter((each) => each.class === row.class && each.accelerator === row.accelerator).length,
    round: row.round,
    terms: termsOf(row, sizes),
    atCount: atCountOf(row, rows, sizes),
    deviation: rounded(predictClass(all, shared, fit, rows.length + at).deviation),
  }));
  return { entries, samples: classes.map((name) => samplesOf(name, rows)), rows: rows.length };
}

/** A run of the class on the accelerator as its results, or else the class's, usually are. */
function usualRow(rows: readonly ClassRow[], name: string, accelerator: string): ClassRow | undefined {
  const ofAccelerator = rows.find((row) => row.accelerator === accelerator);
  const ofClass = rows.filter((row) => row.class === name);
  const ofPair = ofClass.filter((row) => row.accelerator === accelerator);
  const peers = ofPair.length > 0 ? ofPair : ofClass;
  const first = peers[0];
  if (ofAccelerator === undefined || first === undefined) return undefined;
  const { family, logPeak, logBandwidth, isPcie } = ofAccelerator;
  const gang = medianOf(peers.map((row) => row.gang));
  const round = peers.map((row) => row.round).reduce((newest, each) => (each > newest ? each : newest));
  return {
    ...(peers.find((row) => row.round === round) ?? first),
    accelerator,
    family,
    logPeak,
    logBandwidth,
    isPcie,
    gang,
    batchEach: 0,
    doublings: Math.round((gang + 3) / Math.LN2),
  };
}

type Sizes = ReadonlyMap<string, ReadonlyMap<string, number>>;

const polynomial: Record<string, number> = {
  gang: 1,
  'gang of class': 1,
  'gang² of class': 2,
  batch: 3,
  'batch of class': 3,
  'batch² of class': 4,
  'gang × batch of class': 5,
};

const perCount = new Set(['pair at count', 'family at count', 'pair at count in round']);

function termsOf(row: ClassRow, sizes: Sizes): ClassEntry['terms'] {
  const terms: ClassEntry['terms'] = [0, 0, 0, 0, 0, 0];
  for (const { name, group, of } of effects) {
    if (perCount.has(name)) continue;
    const size = sizes.get(name)?.get(group?.(row) ?? '') ?? 0;
    const at = polynomial[name] ?? 0;
    terms[at] = (terms[at] ?? 0) + (at === 0 ? size * of(row) : size);
  }
  return terms.map(rounded) as ClassEntry['terms'];
}

function atCountOf(row: ClassRow, rows: readonly ClassRow[], sizes: Sizes): Record<string, number> {
  const seen = rows.filter((each) => each.class === row.class && each.family === row.family);
  const counts = [...new Set(seen.map(({ doublings }) => doublings))].toSorted((left, right) => left - right);
  return Object.fromEntries(
    counts.map((doublings) => {
      const corrected = effects
        .filter(({ name }) => perCount.has(name))
        .map(({ name, group }) => sizes.get(name)?.get(group?.({ ...row, doublings }) ?? '') ?? 0);
      return [doublings, rounded(corrected.reduce((sum, each) => sum + each, 0))];
    }),
  );
}

function samplesOf(name: string, rows: readonly ClassRow[]): ClassSamples {
  const own = rows.filter((row) => row.class === name);
  const samples = own.flatMap((row) => (row.hasSamples && row.samples !== null ? [row.samples] : []));
  const counts = own.map(({ count }) => count);
  return {
    class: name,
    batchCentre: rounded(Math.log((own[0]?.batch ?? 1) / (own[0]?.count ?? 1)) - (own[0]?.batchEach ?? 0)),
    batch: lineThrough(own.map(({ count, batch }) => [Math.log(count), Math.log(batch)])),
    samples:
      samples.length === 0
        ? null
        : {
            ...lineThrough(own.map((row) => [Math.log(row.batch), Math.log(row.samples ?? 1)])),
            least: Math.round(quantile(samples, 0.02)),
            most: Math.round(quantile(samples, 0.95)),
          },
    counts: { least: Math.min(...counts), most: Math.max(...counts) },
  };
}

/** Least squares, level where x says nothing. */
function lineThrough(points: readonly (readonly [number, number])[]): Line {
  const mean = (at: 0 | 1) => points.reduce((sum, point) => sum + point[at], 0) / points.length;
  const [meanX, meanY] = [mean(0), mean(1)];
  const across = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  const along = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  const slope = across === 0 ? 0 : along / across;
  return { intercept: rounded(meanY - slope * meanX), slope: rounded(slope) };
}

const rounded = (value: number): number => Number(value.toFixed(4));
