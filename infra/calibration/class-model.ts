import type { ClassRow } from './class-rows.ts';
import { factor, forward, solve } from './linear.ts';

/**
 * A hierarchical linear model of ln(minutes, a sample where known): each effect belongs to a group of rows (a class, a class on an
 * accelerator, the same in one round, …) and is drawn towards zero with the deviation that stands here, so that a group with few
 * rows leans on the wider ones. Solved in its dual form, as a Gaussian process with the sum of the groups' kernels.
 */
type Effect = {
  name: string;
  /** Rows with the same text share the effect; null: all do. */
  group: ((row: ClassRow) => string) | null;
  of: (row: ClassRow) => number;
  deviation: number;
};

const one = (): number => 1;
const ofClass = (row: ClassRow): string => row.class;
const pairOf = (row: ClassRow): string => `${row.class} ${row.accelerator}`;

export const effects: readonly Effect[] = [
  { name: 'class', group: ofClass, of: one, deviation: 8 },
  { name: 'gang', group: null, of: ({ gang }) => gang, deviation: 1 },
  { name: 'gang of class', group: ofClass, of: ({ gang }) => gang, deviation: 0.3 },
  { name: 'gang² of class', group: ofClass, of: ({ gang }) => gang ** 2 / 3, deviation: 0.1 },
  { name: 'batch', group: null, of: ({ batchEach }) => batchEach, deviation: 0.5 },
  { name: 'batch of class', group: ofClass, of: ({ batchEach }) => batchEach, deviation: 0.3 },
  { name: 'batch² of class', group: ofClass, of: ({ batchEach }) => batchEach ** 2 / 3, deviation: 0.1 },
  {
    name: 'gang × batch of class',
    group: ofClass,
    of: ({ gang, batchEach }) => (gang * batchEach) / 3,
    deviation: 0.1,
  },
  { name: 'peak', group: null, of: ({ logPeak }) => logPeak, deviation: 1 },
  { name: 'peak of class', group: ofClass, of: ({ logPeak }) => logPeak, deviation: 0.1 },
  { name: 'bandwidth', group: null, of: ({ logBandwidth }) => logBandwidth, deviation: 1 },
  { name: 'bandwidth of class', group: ofClass, of: ({ logBandwidth }) => logBandwidth, deviation: 0.1 },
  { name: 'pcie', group: null, of: ({ isPcie }) => isPcie, deviation: 0.3 },
  { name: 'pcie of class', group: ofClass, of: ({ isPcie }) => isPcie, deviation: 0.2 },
  { name: 'age of class', group: ofClass, of: ({ age }) => age, deviation: 0.1 },
  { name: 'round of class', group: (row) => `${row.class} ${row.round}`, of: one, deviation: 0.1 },
  { name: 'family of class', group: (row) => `${row.class} ${row.family}`, of: one, deviation: 0.4 },
  { name: 'accelerator', group: ({ accelerator }) => accelerator, of: one, deviation: 0.15 },
  { name: 'pair', group: pairOf, of: one, deviation: 0.12 },
  { name: 'pair in round', group: (row) => `${pairOf(row)} ${row.round}`, of: one, deviation: 0.1 },
  { name: 'pair at count', group: (row) => `${pairOf(row)} ${row.doublings}`, of: one, deviation: 0.1 },
  {
    name: 'family at count',
    group: (row) => `${row.class} ${row.family} ${row.doublings}`,
    of: one,
    deviation: 0.07,
  },
  {
    name: 'pair at count in round',
    group: (row) => `${pairOf(row)} ${row.doublings} ${row.round}`,
    of: one,
    deviation: 0.07,
  },
];

/** Of two runs that are the same to the model. */
const noise = 0.05;
const huberAt = 1.5;
const rounds = 3;

/** How alike any two rows are: the covariance of their values under the model, row-major. */
export function covariances(rows: readonly ClassRow[]): Float64Array {
  const n = rows.length;
  const sum = new Float64Array(n * n);
  for (const { group, of, deviation } of effects) {
    const values = rows.map((row) => of(row) * deviation);
    const byGroup = Map.groupBy(rows.keys(), (at) => group?.(rows[at] as ClassRow) ?? '');
    for (const members of byGroup.values()) {
      for (const left of members)
        for (const right of members)
          sum[left * n + right] = (sum[left * n + right] ?? 0) + (values[left] ?? 0) * (values[right] ?? 0);
    }
  }
  return sum;
}

export type ClassFit = { training: readonly number[]; dual: Float64Array; lower: Float64Array };

/** Fits the rows named by `training`, with Huber's loss by reweighting. */
export function fitClasses(rows: readonly ClassRow[], shared: Float64Array, training: readonly number[]): ClassFit {
  const n = training.length;
  const values = training.map((at) => rows[at]?.value ?? 0);
  let weights = training.map(() => 1);
  for (let round = 1; ; round++) {
    const matrix = new Float64Array(n * n);
    for (const [row, at] of training.entries()) {
      for (const [column, other] of training.entries())
        matrix[row * n + column] = shared[at * rows.length + other] ?? 0;
      matrix[row * n + row] = (matrix[row * n + row] ?? 0) + noise ** 2 / (weights[row] ?? 1);
    }
    const lower = factor(matrix, n);
    const dual = solve(lower, values);
    if (round === rounds) return { training, dual, lower };
    weights = weights.map((weight, at) => {
      const residual = Math.abs(dual[at] ?? 0) * (noise ** 2 / weight);
      return 1 / Math.max(1, residual / (huberAt * noise));
    });
  }
}

/** Expectation of a row's value and its deviation, as far as the training rows tell. */
export function predictClass(
  rows: readonly ClassRow[],
  shared: Float64Array,
  { training, dual, lower }: ClassFit,
  at: number,
): { value: number; deviation: number } {
  const alike = training.map((other) => shared[at * rows.length + other] ?? 0);
  const value = alike.reduce((sum, covariance, index) => sum + covariance * (dual[index] ?? 0), 0);
  const known = forward(lower, alike).reduce((sum, each) => sum + each ** 2, 0);
  const own = shared[at * rows.length + at] ?? 0;
  return { value, deviation: Math.sqrt(Math.max(0, own - known) + noise ** 2) };
}

/** The sum of an effect's group, as the fit found it: to be multiplied by the effect's own value. */
export function effectSizes(rows: readonly ClassRow[], { training, dual }: ClassFit): Map<string, Map<string, number>> {
  return new Map(
    effects.map(({ name, group, of, deviation }) => {
      const sizes = new Map<string, number>();
      for (const [index, at] of training.entries()) {
        const row = rows[at] as ClassRow;
        const key = group?.(row) ?? '';
        sizes.set(key, (sizes.get(key) ?? 0) + deviation ** 2 * of(row) * (dual[index] ?? 0));
      }
      return [name, sizes];
    }),
  );
}
