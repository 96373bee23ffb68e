/** Enough for the width of a chart. */
const mostPoints = 400;

/** Every so many of them, that a chart can draw; the last one always. */
export function thinned<T>(values: readonly T[]): T[] {
  const every = Math.ceil(values.length / mostPoints);
  return values.filter((_, at) => at % every === 0 || at === values.length - 1);
}

/** The lowest and the highest, from 0 on. In a loop: of a hundred thousand arguments a call's stack overflows. */
export function extent(...lists: (readonly (number | null)[])[]): [lowest: number, highest: number] {
  let [lowest, highest] = [0, 0];
  for (const values of lists)
    for (const value of values) {
      if (value === null) continue;
      lowest = Math.min(lowest, value);
      highest = Math.max(highest, value);
    }
  return [lowest, highest];
}
