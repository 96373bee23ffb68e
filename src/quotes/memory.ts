import { acceleratorMemoryBytes } from './catalogue.ts';
import { languageKinds, usualShape } from './transformer.ts';
import type { Work } from './work.ts';

/** Of a memory, what the framework and fragments leave for tensors. */
const usable = 0.92;

/** Tensors are split within one machine, where the links are fast, and long sequences over as many machines as they have parts. */
const tensorSplit = 8;

/** Tokens that remain together where a sequence is split: Llama 3 405B had 16 parts of 131,072 (arXiv:2407.21783, Table 4). */
const leastPart = 8192;

/** A language model whose sequence is not stated is taken to have one so long. */
const usualSequence = 2048;

/** The adapters of LoRA, with their gradients and optimiser state, beside a frozen base: about 1 % of it, 16 bytes each. */
const adapterBytes = 0.16;

/** Embedding tables are trained in fp32 with a row-wise optimiser, whose state is one figure a row. */
const tableBytes = 4.1;

/** Of models that are no transformers of known shape, what activations add to the rest, spread like it. */
const otherActivations = 0.2;

/** What training holds at once, in bytes: the state is spread over all accelerators, activations over `widestSplit`. */
export type Footprint = {
  /** Weights, gradients and the optimiser's. */
  stateBytes: number;
  /** Of one sequence with every layer recomputed, the least there is. */
  leastActivationBytes: number;
  /** Of one sequence with nothing recomputed. */
  fullActivationBytes: number;
  /** Over how many accelerators at most the activations of one sequence are split. */
  widestSplit: number;
};

/**
 * Undefined where the parameters are not known. State by arXiv:1910.02054: 2 bytes each for weights and gradients, 12 for fp32
 * weights and Adam's moments; 4, 4 and 8 in fp32. Activations of a layer by arXiv:2205.05198: 34·s·b·h with flash attention, 2·s·b·h of
 * them kept where it is recomputed.
 */
export function footprintOf(work: Work): Footprint | undefined {
  const { parameters, kind, shape } = work;
  if (parameters === null) return undefined;
  const stateBytes = parameters * stateBytesPerParameter(work);
  const isTransformer = languageKinds.has(kind) || (shape.layers !== null && shape.hiddenSize !== null);
  if (!isTransformer) {
    const activations = kind === 'recommender' ? 0 : stateBytes * otherActivations;
    return { stateBytes: stateBytes + activations, leastActivationBytes: 0, fullActivationBytes: 0, widestSplit: 1 };
  }
  const { layers, hiddenSize } = usualShape(work.activeParameters ?? parameters, shape);
  const sequence = shape.sequenceLength ?? usualSequence;
  const ofLayer = sequence * hiddenSize * (isWide(work) ? 2 : 1);
  return {
    stateBytes,
    leastActivationBytes: (2 * layers + 34) * ofLayer,
    fullActivationBytes: 34 * layers * ofLayer,
    widestSplit: tensorSplit * Math.max(1, Math.floor(sequence / leastPart)),
  };
}

function isWide({ precision }: Work): boolean {
  return precision === 'fp32' || precision === 'tf32';
}

function stateBytesPerParameter(work: Work): number {
  if (work.isLora) return (isWide(work) ? 4 : 2) + adapterBytes;
  return work.kind === 'recommender' ? tableBytes : 16;
}

/**
 * The least number of accelerators of this kind that hold the model: its state fully sharded, one sequence at a time, every
 * layer recomputed. Infinity where even one sequence is too long; undefined where nothing is known.
 */
export function smallestCountThatHolds(work: Work, kind: string): number | undefined {
  const known = workedOut.get(work) ?? new Map<string, number | undefined>();
  workedOut.set(work, known);
  if (!known.has(kind)) known.set(kind, countThatHolds(work, kind));
  return known.get(kind);
}

/** A quote asks the same of each offer, so what was worked out for a work is kept as long as the work is. */
const workedOut = new WeakMap<Work, Map<string, number | undefined>>();

function countThatHolds(work: Work, kind: string): number | undefined {
  const footprint = footprintOf(work);
  const memoryBytes = acceleratorMemoryBytes(kind);
  if (footprint === undefined || memoryBytes === undefined) return undefined;
  const { stateBytes, leastActivationBytes, widestSplit } = footprint;
  const room = memoryBytes * usable;
  const evenly = Math.max(1, Math.ceil((stateBytes + leastActivationBytes) / room));
  if (evenly <= widestSplit) return evenly;
  const left = room - leastActivationBytes / widestSplit;
  return left <= 0 ? Infinity : Math.max(widestSplit, Math.ceil(stateBytes / left));
}

/** Whether so many hold the model only where activations are recomputed, which costs up to a third more time (arXiv:1604.06174). */
export function needsRecomputation(work: Work, { kind, count }: { kind: string; count: number }): boolean {
  const footprint = footprintOf(work);
  const memoryBytes = acceleratorMemoryBytes(kind);
  if (footprint === undefined || memoryBytes === undefined) return false;
  const { stateBytes, fullActivationBytes, widestSplit } = footprint;
  return stateBytes / count + fullActivationBytes / Math.min(count, widestSplit) > memoryBytes * usable;
}

/** Bytes that each of so many machines without accelerators needs to hold its part. */
export function hostBytes(work: Work, nodes: number): number | undefined {
  const footprint = footprintOf(work);
  return footprint === undefined ? undefined : (footprint.stateBytes / nodes + footprint.leastActivationBytes) / usable;
}

/** A checkpoint has the weights and what the optimiser needs to go on: all but the gradients. Null where the model's size is unknown. */
export function checkpointBytesOf(work: Work): number | null {
  if (work.parameters === null) return null;
  if (work.isLora) return work.parameters * adapterBytes;
  return work.parameters * (work.kind === 'recommender' ? tableBytes : 14);
}
