/** Use of the last so many milliseconds, kept as entries come and leave. */
export type UseWindow = { add: (at: number, petaflopSeconds: number) => void; since: (now: number) => number };

export function createWindow(lengthMs: number): UseWindow {
  const entries: { at: number; petaflopSeconds: number }[] = [];
  let first = 0;
  let sum = 0;
  return {
    add: (at, petaflopSeconds) => {
      entries.push({ at, petaflopSeconds });
      sum += petaflopSeconds;
    },
    since: (now) => {
      for (let entry = entries[first]; entry !== undefined && entry.at < now - lengthMs; entry = entries[first]) {
        sum -= entry.petaflopSeconds;
        first += 1;
      }
      // What rounding left over.
      if (first === entries.length) sum = 0;
      return Math.max(0, sum);
    },
  };
}
