/** How unevenly something is spread over tenants; all null where nothing was used. */
export type Concentration = {
  /** Herfindahl–Hirschman index, Σ share²: from 1/n, all equal, to 1, one has it all. */
  hhi: number | null;
  /** 1 / hhi: so many equal tenants would be as concentrated. */
  effectiveTenants: number | null;
  /** 0, all equal, to (n − 1)/n, one has it all. */
  gini: number | null;
  largestShare: number | null;
};

/** Of what each tenant used, those who used nothing included. */
export function concentration(amounts: readonly number[]): Concentration {
  const total = sum(amounts);
  if (total <= 0) return { hhi: null, effectiveTenants: null, gini: null, largestShare: null };
  const shares = amounts.map((amount) => amount / total).toSorted((a, b) => a - b);
  const hhi = sum(shares.map((share) => share * share));
  const count = shares.length;
  // With shares rising: G = Σ (2i − n − 1) share_i / n, i from 1.
  const gini = sum(shares.map((share, index) => ((2 * (index + 1) - count - 1) * share) / count));
  return { hhi, effectiveTenants: 1 / hhi, gini: Math.max(0, gini), largestShare: shares.at(-1) ?? null };
}

/** A point of the Lorenz curve: the part of tenants that used least, and the part of all use that is theirs. */
export type LorenzPoint = { tenants: number; use: number };

/** From (0, 0) to (1, 1), a point for each tenant; on the diagonal where all used the same. Empty where nothing was used. */
export function lorenz(amounts: readonly number[]): LorenzPoint[] {
  const total = sum(amounts);
  if (total <= 0) return [];
  let used = 0;
  const points = amounts
    .toSorted((a, b) => a - b)
    .map((amount, index) => ({ tenants: (index + 1) / amounts.length, use: (used += amount) / total }));
  return [{ tenants: 0, use: 0 }, ...points];
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
