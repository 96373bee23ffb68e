/** Puts it behind all that are not greater. */
export function insertSorted<T>(sorted: T[], item: T, compare: (a: T, b: T) => number): void {
  let low = 0;
  let high = sorted.length;
  // Most come last: their place is found at once.
  const last = sorted.at(-1);
  if (last !== undefined && compare(last, item) <= 0) low = high;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const at = sorted[middle];
    if (at !== undefined && compare(at, item) <= 0) low = middle + 1;
    else high = middle;
  }
  sorted.splice(low, 0, item);
}
