/** Small dense linear algebra: what the fits need, and no more. Matrices are row-major. */

/** The lower Cholesky factor of a symmetric positive definite n×n matrix. @throws Error where it is not. */
export function factor(matrix: Float64Array, n: number): Float64Array {
  const lower = new Float64Array(n * n);
  for (let row = 0; row < n; row++) {
    const own = lower.subarray(row * n, row * n + n);
    for (let column = 0; column <= row; column++) {
      const rest = (matrix[row * n + column] ?? 0) - overlap(own, lower.subarray(column * n, column * n + n), column);
      if (row !== column) own[column] = rest / (lower[column * n + column] ?? 1);
      else if (rest > 0) own[row] = Math.sqrt(rest);
      else throw new Error(`not positive definite in row ${row}`);
    }
  }
  return lower;
}

/** Sum of the products of the first `length` items. All the time goes here, so four sums run side by side. */
function overlap(left: Float64Array, right: Float64Array, length: number): number {
  let [first, second, third, fourth] = [0, 0, 0, 0];
  let at = 0;
  for (; at + 3 < length; at += 4) {
    first += (left[at] as number) * (right[at] as number);
    second += (left[at + 1] as number) * (right[at + 1] as number);
    third += (left[at + 2] as number) * (right[at + 2] as number);
    fourth += (left[at + 3] as number) * (right[at + 3] as number);
  }
  for (; at < length; at++) first += (left[at] as number) * (right[at] as number);
  return first + second + third + fourth;
}

/** x of L·x = b. */
export function forward(lower: Float64Array, right: ArrayLike<number>): Float64Array {
  const n = right.length;
  const x = new Float64Array(n);
  for (let row = 0; row < n; row++) {
    const rest = (right[row] ?? 0) - overlap(lower.subarray(row * n, row * n + n), x, row);
    x[row] = rest / (lower[row * n + row] ?? 1);
  }
  return x;
}

/** x of L·Lᵀ·x = b. */
export function solve(lower: Float64Array, right: ArrayLike<number>): Float64Array {
  const x = forward(lower, right);
  const n = x.length;
  for (let row = n - 1; row >= 0; row--) {
    const value = (x[row] ?? 0) / (lower[row * n + row] ?? 1);
    x[row] = value;
    for (let at = 0; at < row; at++) x[at] = (x[at] ?? 0) - (lower[row * n + at] ?? 0) * value;
  }
  return x;
}

/** A coefficient's expectation before any row is seen, and how sure it is. */
export type Belief = { mean: number; deviation: number };

export type Regression = {
  rows: readonly (readonly number[])[];
  values: readonly number[];
  weights: readonly number[];
  beliefs: readonly Belief[];
  /** Standard deviation of a row of weight 1 around the model. */
  noise: number;
};

/** Where a residual turns from squared to absolute loss, in standard deviations of the noise. */
const huberAt = 0.5;
const rounds = 15;

/** Ridge towards the beliefs with Huber's loss, by reweighting (Huber 1964). */
export function regress({ rows, values, weights, beliefs, noise }: Regression): number[] {
  const expected = rows.map((row) =>
    dot(
      row,
      beliefs.map(({ mean }) => mean),
    ),
  );
  const rests = values.map((value, at) => value - (expected[at] ?? 0));
  let robust = weights.map(() => 1);
  let offsets = beliefs.map(() => 0);
  for (let round = 0; round < rounds; round++) {
    offsets = solveRidge({
      rows,
      rests,
      weights: weights.map((weight, at) => weight * (robust[at] ?? 1)),
      beliefs,
      noise,
    });
    robust = rows.map((row, at) => {
      const residual = Math.abs((rests[at] ?? 0) - dot(row, offsets));
      return 1 / Math.max(1, residual / (huberAt * noise));
    });
  }
  return offsets.map((offset, at) => offset + (beliefs[at]?.mean ?? 0));
}

type Ridge = Omit<Regression, 'values'> & { rests: readonly number[] };

function solveRidge({ rows, rests, weights, beliefs, noise }: Ridge): number[] {
  const n = beliefs.length;
  const matrix = new Float64Array(n * n);
  const right = new Float64Array(n);
  for (const [at, row] of rows.entries()) {
    const weight = weights[at] ?? 0;
    for (let left = 0; left < n; left++) {
      const scaled = weight * (row[left] ?? 0);
      if (scaled === 0) continue;
      right[left] = (right[left] ?? 0) + scaled * (rests[at] ?? 0);
      for (let other = 0; other < n; other++)
        matrix[left * n + other] = (matrix[left * n + other] ?? 0) + scaled * (row[other] ?? 0);
    }
  }
  for (const [at, { deviation }] of beliefs.entries())
    matrix[at * n + at] = (matrix[at * n + at] ?? 0) + (noise / deviation) ** 2;
  return [...solve(factor(matrix, n), right)];
}

export function dot(left: readonly number[], right: readonly number[]): number {
  let sum = 0;
  for (let at = 0; at < left.length; at++) sum += (left[at] ?? 0) * (right[at] ?? 0);
  return sum;
}
