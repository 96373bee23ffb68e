import { classHalfWidth } from './classes.ts';
import intervals from './fitted/intervals.json' with { type: 'json' };
import type { Work, WorkKind } from './work.ts';

/** What public runs say of a prediction that no job of this installation has checked yet. Both in logs of actual ÷ predicted. */
export type Prior = {
  /** How far the middle lies from the model's prediction. */
  shift: number;
  /** Of the 80 % interval. */
  halfWidth: number;
};

/** Accelerators of which enough whole public runs of language models are known. */
const wellKnown = new Set(['A100', 'A100-80GB', 'v3', 'v4']);

/** Below, one person's script and a tuned one lie further apart than the software of teams that train larger models. */
const leastParameters = 2e9;

const isLanguage: ReadonlySet<WorkKind> = new Set<WorkKind>(['llm', 'moe', 'encoder', 'encoder-decoder']);

/** Whether whole public runs of this kind on this accelerator are many and alike enough for an interval of their own. */
export function isWellKnown(
  { kind, activeParameters }: Pick<Work, 'kind' | 'activeParameters'>,
  accelerator: string,
): boolean {
  return isLanguage.has(kind) && (activeParameters ?? 0) >= leastParameters && wellKnown.has(accelerator);
}

/**
 * The interval of work of this description on this kind of accelerator, where nothing of the kind has run here: measured on public
 * runs that the fit had not seen (docs/quote-accuracy.md), and a stated factor where there are none.
 */
export function priorOf(work: Work, accelerator: string): Prior {
  const ofClass = classHalfWidth(
    { class: work.class, samples: work.samples, batchSize: work.shape.batchSize },
    accelerator,
  );
  return { shift: 0, halfWidth: ofClass ?? ofSpec(work, accelerator) };
}

function ofSpec(work: Work, accelerator: string): number {
  const { basis, kind } = work;
  if (basis === 'default') return Math.log(20);
  if (basis === 'expected-duration') return Math.log(3);
  // The same loop differs a hundredfold between an interpreter and a tuned library.
  if (accelerator === 'cpu') return Math.log(8);
  if (kind === 'other' || kind === 'recommender') return Math.log(4);
  const { wellKnown: ofKnown, other } = intervals.runs;
  return isWellKnown(work, accelerator) ? ofKnown : other * unknownFactor(accelerator);
}

/** No whole public run of these is known, so the interval of the others is stretched. */
const unseen = new Set(['T4', 'P100', 'L4', 'A10G', 'H200', 'B200', 'v2', 'v5e', 'v5p', 'v6e']);

function unknownFactor(accelerator: string): number {
  return unseen.has(accelerator) ? 1.25 : 1;
}
