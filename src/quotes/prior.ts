import type { Work, WorkKind } from './work.ts';

/** What public runs say of a prediction that no job of this installation has checked yet. Both in logs of actual ÷ predicted. */
export type Prior = {
  /** How far the middle lies from the model's prediction. */
  shift: number;
  /** Of the 80 % interval. */
  halfWidth: number;
};

/** Accelerators of which enough public runs are known for the published interval. */
const wellKnown = new Set(['A100', 'A100-80GB', 'H100', 'V100', 'v3', 'v4']);

const isLanguage: ReadonlySet<WorkKind> = new Set<WorkKind>(['llm', 'moe', 'encoder', 'encoder-decoder']);

/** The interval of work of this description on this kind of accelerator, where nothing of the kind has run here. */
export function priorOf(work: Work, accelerator: string): Prior {
  return { shift: 0, halfWidth: Math.log(factorOf(work, accelerator)) };
}

function factorOf({ basis, kind }: Work, accelerator: string): number {
  if (basis === 'default') return 20;
  if (basis === 'expected-duration') return 3;
  // The same loop differs a hundredfold between an interpreter and a tuned library.
  if (accelerator === 'cpu') return 8;
  if (!isLanguage.has(kind)) return kind === 'other' || kind === 'recommender' ? 4 : 2.5;
  return wellKnown.has(accelerator) ? 1.7 : 2.5;
}
