import { formatDuration, parseDuration } from '../core/time.ts';
import type { Workload } from '../protocol/job-spec.ts';
import type { Quote } from '../protocol/quote.ts';
import type { Precision } from './catalogue.ts';
import { presets, type Preset } from './presets.ts';
import { flopsPerWeight, impliedParameters, tokensOf, transformerFlops } from './transformer.ts';

export type Basis = Quote['workload']['basis'];
export type WorkKind = NonNullable<Workload['kind']>;

/** How the model is built and fed, as far as stated. */
export type Shape = {
  sequenceLength: number | null;
  layers: number | null;
  hiddenSize: number | null;
  /** Global, in sequences or examples. */
  batchSize: number | null;
};

/** What is to be done, as far as the spec tells. Either `flops` or `seconds` is known. */
export type Work = {
  basis: Basis;
  /** FLOP of the whole run; null where only a duration is known. */
  flops: number | null;
  /** The duration itself, where that is what is known. */
  seconds: number | null;
  kind: WorkKind;
  /** The MLPerf benchmark that this is the work of; null where none. */
  class: string | null;
  /** Weights that must be held in memory; null where unknown. */
  parameters: number | null;
  /** Weights that a token meets; null where unknown. */
  activeParameters: number | null;
  isLora: boolean;
  precision: Precision | null;
  shape: Shape;
  /** In all epochs together; null where the work is not told in tokens. */
  tokens: number | null;
  /** Sequences or examples seen in all epochs together; null where unknown. */
  samples: number | null;
  epochs: number;
  /** Optimiser steps; null where the batch is unknown. */
  steps: number | null;
  /** Whether neither the length nor the FLOP of an example were stated, so that what is usual stands in for them. */
  isExampleAssumed: boolean;
  assumptions: string[];
};

/** A job of which nothing is known is taken to last ten minutes, give or take a factor of twenty. */
export const defaultSeconds = 600;

/** The work of a job, from the best description there is: the order of the functions tried is the documented order. */
export function resolveWork(stated: Workload | undefined): Work {
  const preset = stated?.preset === undefined ? undefined : presets.get(stated.preset);
  const assumptions = preset === undefined ? [] : assumedBy(stated ?? {}, preset);
  const workload = complete(describe(stated ?? {}, preset), assumptions);
  const found =
    fromFlops(workload) ??
    fromTransformer(workload, assumptions) ??
    fromExamples(workload, assumptions) ??
    fromExpectedDuration(workload, assumptions) ??
    fromNothing(workload, assumptions);
  const isOfPreset = preset !== undefined && (found.basis === 'transformer' || found.basis === 'examples');
  return {
    ...found,
    ...(isOfPreset ? { basis: 'preset', class: preset.class } : { class: null }),
    ...modelOf(workload),
    ...runOf(workload),
    isExampleAssumed: isExampleAssumed(workload),
    assumptions,
  };
}

/** With the kind that goes without saying, and the weights that the shape implies. */
function complete(workload: Workload, assumptions: string[]): Workload {
  const parameters = impliedParameters(workload, assumptions);
  const sized = parameters === undefined ? workload : { ...workload, parameters };
  return { ...sized, kind: kindOf(sized, assumptions) };
}

function isExampleAssumed({ flops, examples, sequenceLength, flopsPerExample }: Workload): boolean {
  return flops === undefined && examples !== undefined && sequenceLength === undefined && flopsPerExample === undefined;
}

function modelOf(
  workload: Workload,
): Pick<Work, 'kind' | 'parameters' | 'activeParameters' | 'isLora' | 'precision' | 'shape'> {
  const { kind = 'other', parameters, activeParameters, precision } = workload;
  return {
    kind,
    parameters: parameters ?? null,
    activeParameters: activeParameters ?? parameters ?? null,
    isLora: workload.trainable === 'lora',
    precision: precision ?? null,
    shape: shapeOf(workload),
  };
}

function runOf(workload: Workload): Pick<Work, 'tokens' | 'samples' | 'epochs' | 'steps'> {
  const { examples, epochs = 1, sequenceLength, batchSize } = workload;
  const tokens = tokensOf(workload) ?? null;
  const sequences = tokens === null || sequenceLength === undefined ? null : tokens / sequenceLength;
  const samples = examples === undefined ? sequences : examples * epochs;
  return { tokens, samples, epochs, steps: samples === null || batchSize === undefined ? null : samples / batchSize };
}

/** The workload with its preset's fields beneath the stated ones. */
export function describe(stated: Workload, preset: Preset | undefined): Workload {
  if (preset === undefined) return stated;
  const { tokens, examples, epochs, flopsPerExample, ...rest } = preset.workload;
  // Examples of one's own are not as long as what the model was first trained on.
  const { sequenceLength: _length, ...ofAnyLength } = rest;
  const model = stated.examples !== undefined && tokens !== undefined ? ofAnyLength : rest;
  // Tokens stated for a preset in examples take their place, and the reverse; FLOP stated take that of both.
  const data = hasOwnData(stated) ? {} : { tokens, examples };
  const perExample = stated.tokens === undefined && stated.flops === undefined ? { epochs, flopsPerExample } : {};
  return { ...model, ...withoutUndefined({ ...data, ...perExample }), ...stated };
}

function hasOwnData({ tokens, examples, flops }: Workload): boolean {
  return (tokens ?? examples ?? flops) !== undefined;
}

function withoutUndefined(fields: { [Key in keyof Workload]?: Workload[Key] | undefined }): Workload {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function assumedBy(stated: Workload, { source, note }: Preset): string[] {
  if (hasOwnData(stated)) return [`${stated.preset}: ${source}.`];
  const ofAdapters =
    stated.trainable === 'lora'
      ? [
          'No data is stated: the adapters are taken to see all that the preset was trained on. State tokens or examples.',
        ]
      : [];
  return [`${stated.preset}: ${source}.`, ...(note === null ? [] : [note]), ...ofAdapters];
}

function shapeOf({ sequenceLength, layers, hiddenSize, batchSize }: Workload): Shape {
  return {
    sequenceLength: sequenceLength ?? null,
    layers: layers ?? null,
    hiddenSize: hiddenSize ?? null,
    batchSize: batchSize ?? null,
  };
}

type Found = Pick<Work, 'basis' | 'flops' | 'seconds'>;

function fromFlops({ flops }: Workload): Found | undefined {
  return flops === undefined ? undefined : { basis: 'flops', flops, seconds: null };
}

function fromTransformer(workload: Workload, assumptions: string[]): Found | undefined {
  const flops = transformerFlops(workload, assumptions);
  return flops === undefined ? undefined : { basis: 'transformer', flops, seconds: null };
}

function fromExamples(workload: Workload, assumptions: string[]): Found | undefined {
  const { examples, epochs = 1 } = workload;
  if (examples === undefined) return undefined;
  const flopsPerExample = workload.flopsPerExample ?? usualFlopsPerExample(workload, assumptions);
  if (flopsPerExample === undefined) {
    assumptions.push('examples alone say nothing about the work: flopsPerExample or parameters is missing.');
    return undefined;
  }
  if (workload.epochs === undefined) assumptions.push('epochs is not stated: one is assumed.');
  return { basis: 'examples', flops: flopsPerExample * examples * epochs, seconds: null };
}

/**
 * At how many positions of an example each weight is used: patches of a ViT at 224 px with its class token, which is also what
 * a ResNet-50's convolutions come to; of diffusion and speech the middle of the presets, from DiT's 176 to Stable Diffusion's 620
 * and from Whisper's 577 to wav2vec 2.0's 1,260.
 */
const positions: Partial<Record<WorkKind, number>> = { vision: 197, diffusion: 500, speech: 900 };

/** Weights of a recommender that are no embedding tables: DLRM's 2.4 million and DCNv2's 16 million, in the middle. */
const denseParameters = 6e6;

function usualFlopsPerExample(workload: Workload, assumptions: string[]): number | undefined {
  const { kind = 'other', parameters } = workload;
  if (parameters === undefined) return undefined;
  const each = flopsPerWeight(workload);
  if (kind === 'recommender') {
    const dense = Math.min(parameters, denseParameters);
    assumptions.push(
      `flopsPerExample is not stated: ${each} FLOP for each of ${dense} weights beside the tables are assumed.`,
    );
    return each * dense;
  }
  const uses = positions[kind] ?? 1;
  const usually = uses === 1 ? '' : ` at ${uses} positions`;
  assumptions.push(
    `flopsPerExample is not stated: ${each} FLOP a parameter and example${usually} are assumed; the truth may be several times that or a part of it.`,
  );
  return each * parameters * uses;
}

function fromExpectedDuration({ expectedDuration }: Workload, assumptions: string[]): Found | undefined {
  if (expectedDuration === undefined) return undefined;
  assumptions.push('expectedDuration is taken as stated, for every machine alike.');
  return { basis: 'expected-duration', flops: null, seconds: parseDuration(expectedDuration) / 1000 };
}

function fromNothing(workload: Workload, assumptions: string[]): Found {
  if (workload.tokens !== undefined)
    assumptions.push('tokens alone say nothing about the work: parameters is missing.');
  assumptions.push(
    `Nothing is known about the work, so ${formatDuration(defaultSeconds)} is assumed, within a factor of twenty.`,
  );
  return { basis: 'default', flops: null, seconds: defaultSeconds };
}

/** So many weights are hardly ever anything but a language model; with a shape or a length in tokens, fewer are one too. */
const surelyLanguage = 1e9;
const likelyLanguage = 1e8;
/** Nor are so many FLOP spent on anything small. */
const languageFlops = 1e21;

function kindOf(workload: Workload, assumptions: string[]): WorkKind {
  const { kind, activeParameters = Infinity, parameters = 0 } = workload;
  if (kind !== 'llm' || activeParameters >= parameters / 2) return kind ?? unstatedKind(workload, assumptions);
  assumptions.push('activeParameters is a small part of parameters, so the model is taken for a mixture of experts.');
  return 'moe';
}

function unstatedKind(workload: Workload, assumptions: string[]): WorkKind {
  const { activeParameters, parameters, flopsPerExample, flops = 0 } = workload;
  if (activeParameters !== undefined) return 'moe';
  if ((tokensOf(workload) ?? workload.sequenceLength) !== undefined) return 'llm';
  if (parameters === undefined && flops >= languageFlops) {
    assumptions.push('kind is not stated: with so many FLOP a language model is assumed.');
    return 'llm';
  }
  if (parameters === undefined) return 'other';
  const least = isSequential(workload) ? likelyLanguage : surelyLanguage;
  if (flopsPerExample !== undefined || parameters < least) return 'other';
  assumptions.push('kind is not stated: with so many parameters a language model is assumed.');
  return 'llm';
}

function isSequential({ layers, hiddenSize, trainable }: Workload): boolean {
  return (layers ?? hiddenSize) !== undefined || trainable === 'lora';
}
