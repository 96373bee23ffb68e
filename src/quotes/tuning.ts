import { languageKinds } from './transformer.ts';
import type { Work } from './work.ts';

/** Whoever trains a model anew shows it more than one token for two weights that a token meets: of public runs the fewest are 1.4 for one. */
const tokensOfTraining = 0.5;

/**
 * How far work is from training a language model anew, from 0 to 1: a tenth of that many tokens or fewer are fine-tuning, and adapters
 * where nothing is known of them. Between the two it is counted in part, so that more tokens never take less time, nor adapters more
 * than all weights.
 */
export function tuningOf({ kind, isLora, tokens, activeParameters }: Tuned): number {
  // What trains others is seldom told in tokens.
  if (!languageKinds.has(kind)) return 0;
  if (tokens === null || activeParameters === null) return isLora ? 1 : 0;
  return Math.min(1, Math.max(0, Math.log10((tokensOfTraining * activeParameters) / tokens)));
}

type Tuned = Pick<Work, 'kind' | 'isLora' | 'tokens' | 'activeParameters'>;
