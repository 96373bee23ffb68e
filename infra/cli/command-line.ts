import { shellWord } from './shell-word.ts';

/** The flags of `weir quote` that `weir submit` has not. */
const ofQuotesOnly = new Set(['--all', '--pilot', '--json']);

/** What to type to submit at a quote, by the words that were typed to make it. */
export function submissionOf([, ...words]: readonly string[], quoteId: string): string {
  const [own, command] = atDashes(words);
  // A pipe that brings the spec can't answer as well.
  const unasked = own.includes('-') ? ['--yes'] : [];
  const kept = own.filter((word) => !ofQuotesOnly.has(word));
  return lineOf(['submit', ...kept, ...unasked, '--quote', quoteId, ...command]);
}

/** What was typed, with one flag more. */
export function sameWith(words: readonly string[], flag: string): string {
  const [own, command] = atDashes(words);
  return lineOf([...own, flag, ...command]);
}

/** Our own words. */
export function beforeDashes(words: readonly string[]): readonly string[] {
  return atDashes(words)[0];
}

/** Our own words, and from `--` on those of a job's command. */
function atDashes(words: readonly string[]): [own: readonly string[], command: readonly string[]] {
  const at = words.indexOf('--');
  return at < 0 ? [words, []] : [words.slice(0, at), words.slice(at)];
}

function lineOf(words: readonly string[]): string {
  return ['weir', ...words.map(shellWord)].join(' ');
}
