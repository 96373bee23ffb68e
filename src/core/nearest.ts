import { closest, distance } from 'fastest-levenshtein';

const longestName = 64;

/** The known name that was most likely meant; undefined where none is near. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  if (known.length === 0 || name.length > longestName) return undefined;
  const lower = name.toLowerCase();
  const found = closest(
    lower,
    known.map((each) => each.toLowerCase()),
  );
  const isNear = distance(lower, found) <= Math.max(2, Math.ceil(Math.max(lower.length, found.length) * 0.6));
  return isNear ? known.find((each) => each.toLowerCase() === found) : undefined;
}

/** ` Did you mean "x"?`, or nothing. */
export function didYouMean(name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  return near === undefined ? '' : ` Did you mean "${near}"?`;
}
