/** A moment, and what each series has from it on. */
export type StackedPoint = { atMs: number; values: number[] };

/** Each value up to where the next begins, so that nothing slopes between them. */
export function stepsOf(points: readonly StackedPoint[]): StackedPoint[] {
  return points.flatMap((point, at) => {
    const next = points[at + 1];
    return next === undefined ? [point] : [point, { ...point, atMs: next.atMs }];
  });
}

const dayMs = 86_400_000;
const leastMs = 60_000;

/** The hour or day of an amount of compute, in PFLOP/s-days, by which it becomes a rate in PFLOP/s: of one that has not ended, what has passed of it. */
export function daysPassed({ from, to }: { from: string; to: string }, nowMs: number): number {
  return Math.max(leastMs, Math.min(nowMs, Date.parse(to)) - Date.parse(from)) / dayMs;
}
