/** Of these points, those that none beats in both figures: nothing is as cheap and sooner done, or as soon and cheaper. */
export function paretoFront<T>(
  points: readonly T[],
  costOf: (point: T) => number,
  secondsOf: (point: T) => number,
): Set<T> {
  const front = new Set<T>();
  let soonest = Infinity;
  let soonestCost = Infinity;
  const byCost = points.toSorted((left, right) => costOf(left) - costOf(right) || secondsOf(left) - secondsOf(right));
  for (const point of byCost) {
    const seconds = secondsOf(point);
    // Equal in both, such as the same machine at the same price in two regions: neither beats the other.
    if (seconds > soonest || (seconds === soonest && costOf(point) > soonestCost)) continue;
    soonest = seconds;
    soonestCost = costOf(point);
    front.add(point);
  }
  return front;
}
