import { classHalfWidth } from './classes.ts';
import intervals from './fitted/intervals.json' with { type: 'json' };
import { tuningOf } from './tuning.ts';
import type { Work, WorkKind } from './work.ts';

/** What public runs say of a prediction that no job of this installation has checked yet. Both in logs of actual ÷ predicted. */
export type Prior = {
  /** How far the middle lies from the model's prediction. */
  shift: number;
  /** Of the 80 % interval. */
  halfWidth: number;
};

/** Of each kind of model, the accelerators of which whole public runs are known. */
const seen: Record<WorkKind, readonly string[]> = {
  llm: ['V100', 'A100', 'A100-80GB', 'H100', 'v3', 'v4'],
  moe: ['H100'],
  // Those that are known lie twice as far apart as language models do.
  encoder: [],
  'encoder-decoder': [],
  vision: [],
  diffusion: [],
  speech: [],
  recommender: [],
  other: [],
};

/** Of each kind of model, the accelerators of which whole public runs are many, and as far from the fit on each as on the others. */
const wellKnown: Partial<Record<WorkKind, readonly string[]>> = {
  llm: ['A100', 'A100-80GB', 'H100', 'v3', 'v4'],
  moe: ['H100'],
};

/** Below, one person's script and a tuned one lie further apart than the software of teams that train larger models. */
const leastParameters = 2e9;

/** Whether whole public runs of this kind on this accelerator are many and alike enough for an interval of their own. */
export function isWellKnown(
  { kind, activeParameters }: Pick<Work, 'kind' | 'activeParameters'>,
  accelerator: string,
): boolean {
  return (activeParameters ?? 0) >= leastParameters && wellKnown[kind]?.includes(accelerator) === true;
}

/**
 * The interval of work of this description on this kind of accelerator, where nothing of the kind has run here: measured on public
 * runs that the fit had not seen (docs/quote-accuracy.md), and a stated factor where there are none.
 */
export function priorOf(work: Work, accelerator: string, ofRuns: OfRuns = intervals.runs): Prior {
  const asClass = { class: work.class, samples: work.samples, batchSize: work.shape.batchSize };
  return { shift: 0, halfWidth: classHalfWidth(asClass, accelerator, ofSpec(work, accelerator, ofRuns)) };
}

/** Half-widths, in logs, as measured on whole public runs. */
export type OfRuns = { wellKnown: number; other: number };

function ofSpec(work: Work, accelerator: string, ofRuns: OfRuns): number {
  const { basis, kind } = work;
  // A convolution of so many weights takes a hundred times what a perceptron of as many does.
  const isAnything = work.isExampleAssumed && kind === 'other';
  if (basis === 'default' || isAnything) return Math.log(20);
  if (basis === 'expected-duration') return Math.log(3);
  // The same loop differs a hundredfold between an interpreter and a tuned library.
  if (accelerator === 'cpu') return Math.log(8);
  if (seldomPublic.has(kind)) return Math.log(4);
  const ofTraining = ofTrainingAnew(work, accelerator, ofRuns);
  const certainty = work.isExampleAssumed ? 0 : 1 - tuningOf(work);
  return Math.max(ofTraining, Math.log(4) + certainty * (ofTraining - Math.log(4)));
}

function ofTrainingAnew(work: Work, accelerator: string, { wellKnown: ofKnown, other }: OfRuns): number {
  // Public runs lie between half of what the fit says of them and 2.7 times as much.
  if (work.kind === 'vision') return Math.log(2.5);
  if (!seen[work.kind].includes(accelerator)) return other * unseenFactor;
  return other + knownPart(work, accelerator) * (ofKnown - other);
}

/** From 0 at half of `leastParameters` to 1 at twice as many, so that a slightly larger model is not quoted far narrower. */
function knownPart({ kind, activeParameters }: Work, accelerator: string): number {
  if (!isWellKnown({ kind, activeParameters: Infinity }, accelerator)) return 0;
  const doublings = Math.log2((activeParameters ?? 1) / leastParameters);
  return Math.min(1, Math.max(0, (doublings + 1) / 2));
}

/** No whole run of these is in the tables (of fine-tuning one), and the same model is known to take one team several times as long as another. */
const seldomPublic: ReadonlySet<WorkKind> = new Set<WorkKind>(['diffusion', 'speech', 'recommender', 'other']);

/** Where no whole public run of the kind on the accelerator is known, the interval of the others is stretched. */
const unseenFactor = 1.25;
