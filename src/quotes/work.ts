import { formatDuration, parseDuration } from '../core/time.ts';
import type { Workload } from '../protocol/job-spec.ts';
import type { Quote } from '../protocol/quote.ts';
import type { Precision } from './catalogue.ts';
import { presets } from './presets.ts';

export type Basis = Quote['workload']['basis'];
export type WorkKind = NonNullable<Workload['kind']>;

/** What is to be done, as far as the spec tells. Either `flops` or `seconds` is known. */
export type Work = {
  basis: Basis;
  /** FLOP of the whole run; null where only a duration is known. */
  flops: number | null;
  /** The duration itself, where that is what is known. */
  seconds: number | null;
  kind: WorkKind;
  /** Weights that must be held in memory; null where unknown. */
  parameters: number | null;
  isLora: boolean;
  precision: Precision | null;
  /** Optimiser steps; null where the batch is unknown. */
  steps: number | null;
  assumptions: string[];
};

/** A job of which nothing is known is taken to last ten minutes, give or take a factor of twenty. */
export const defaultSeconds = 600;

/** The work of a job, from the best description there is: the order of the functions tried is the documented order. */
export function resolveWork(stated: Workload | undefined): Work {
  const { workload, preset } = withPreset(stated ?? {});
  const assumptions: string[] = preset === undefined ? [] : [preset];
  const common = {
    kind: kindOf(workload),
    parameters: workload.parameters ?? null,
    isLora: workload.trainable === 'lora',
    precision: workload.precision ?? null,
    steps: null,
  };
  const found =
    fromFlops(workload) ??
    fromTransformer(workload, assumptions) ??
    fromExamples(workload, assumptions) ??
    fromExpectedDuration(workload, assumptions) ??
    fromNothing(workload, assumptions);
  const isOfPreset = preset !== undefined && (found.basis === 'transformer' || found.basis === 'examples');
  return { ...common, ...found, basis: isOfPreset ? 'preset' : found.basis, assumptions };
}

type Found = Pick<Work, 'basis' | 'flops' | 'seconds'> & { steps?: number | null };

function fromFlops({ flops }: Workload): Found | undefined {
  return flops === undefined ? undefined : { basis: 'flops', flops, seconds: null };
}

/** 6·N·D, 4·N·D where the base is frozen, and 6·L·d·s a token for causal attention (twice that where it looks both ways). */
function fromTransformer(workload: Workload, assumptions: string[]): Found | undefined {
  const { parameters, kind } = workload;
  const tokens = workload.tokens ?? tokensOfSequences(workload);
  if (parameters === undefined || tokens === undefined) return undefined;
  if (kind === 'moe' && workload.activeParameters === undefined) {
    assumptions.push(
      'activeParameters is not stated, so every parameter counts as active, which overstates a mixture of experts.',
    );
  }
  const active = workload.activeParameters ?? parameters;
  const flopsPerWeight = workload.trainable === 'lora' ? 4 : 6;
  if (workload.trainable === 'lora')
    assumptions.push('LoRA: 4 FLOP a weight and token, since the frozen base needs no gradients of its own.');
  const attention = attentionFlopsPerToken(workload, active, assumptions);
  const { batchSize, sequenceLength } = workload;
  return {
    basis: 'transformer',
    flops: (flopsPerWeight * active + attention) * tokens,
    seconds: null,
    steps: batchSize === undefined || sequenceLength === undefined ? null : tokens / (batchSize * sequenceLength),
  };
}

function tokensOfSequences({ examples, epochs = 1, sequenceLength }: Workload): number | undefined {
  return examples === undefined || sequenceLength === undefined ? undefined : examples * epochs * sequenceLength;
}

function attentionFlopsPerToken(
  { kind, layers, hiddenSize, sequenceLength }: Workload,
  active: number,
  assumptions: string[],
): number {
  if (sequenceLength === undefined) {
    assumptions.push('sequenceLength is not stated, so attention is left out of the FLOPs.');
    return 0;
  }
  const causal = kind === 'encoder' || kind === 'vision' ? 2 : 1;
  if (layers !== undefined && hiddenSize !== undefined) return causal * 6 * layers * hiddenSize * sequenceLength;
  // A usual shape has d = 128·L, so N = 12·L·d² gives d = (128·N/12)^(1/3) and L·d = N/(12·d).
  const width = hiddenSize ?? Math.cbrt((128 * active) / 12);
  assumptions.push(
    `layers and hiddenSize are not both stated: a width of ${Math.round(width)} is assumed for attention.`,
  );
  return causal * 6 * (active / (12 * width)) * sequenceLength;
}

function fromExamples(workload: Workload, assumptions: string[]): Found | undefined {
  const { examples, parameters, batchSize } = workload;
  if (examples === undefined) return undefined;
  const { epochs = 1 } = workload;
  if (workload.epochs === undefined) assumptions.push('epochs is not stated: one is assumed.');
  const flopsPerExample = workload.flopsPerExample ?? (parameters === undefined ? undefined : 6 * parameters);
  if (flopsPerExample === undefined) {
    assumptions.push('examples alone say nothing about the work: flopsPerExample or parameters is missing.');
    return undefined;
  }
  if (workload.flopsPerExample === undefined)
    assumptions.push(
      'flopsPerExample is not stated: 6 FLOP a parameter and example is assumed, which understates convolutions.',
    );
  return {
    basis: 'examples',
    flops: flopsPerExample * examples * epochs,
    seconds: null,
    steps: batchSize === undefined ? null : (examples * epochs) / batchSize,
  };
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

/** The preset's fields beneath the stated ones. Tokens stated for a preset in examples take their place, and the reverse. */
function withPreset(stated: Workload): { workload: Workload; preset: string | undefined } {
  const preset = stated.preset === undefined ? undefined : presets[stated.preset];
  if (preset === undefined) return { workload: stated, preset: undefined };
  const { tokens, examples, epochs, flopsPerExample, ...model } = preset.workload;
  const data = stated.tokens !== undefined || stated.examples !== undefined ? {} : { tokens, examples };
  const perExample = stated.tokens === undefined ? { epochs, flopsPerExample } : {};
  const workload = { ...model, ...withoutUndefined({ ...data, ...perExample }), ...stated };
  return { workload, preset: `${stated.preset}: ${preset.source}.` };
}

function withoutUndefined(fields: { [Key in keyof Workload]?: Workload[Key] | undefined }): Workload {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function kindOf({ kind, activeParameters, parameters, tokens }: Workload): WorkKind {
  if (kind !== undefined) return kind;
  if (activeParameters !== undefined) return 'moe';
  return parameters !== undefined && tokens !== undefined ? 'llm' : 'other';
}

/** The one field that would tell most about this job, said in words; undefined where its kind of description is as good as any. */
export function mostTellingField(work: Work): string | undefined {
  if (work.basis === 'default')
    return 'Stating workload.flops, or parameters and tokens, or expectedDuration would narrow the range most.';
  if (work.basis === 'expected-duration')
    return 'A first finished job of this name, or workload.flops, would narrow the range most.';
  if (work.precision === null)
    return 'Stating workload.precision and batchSize, or a first finished job of this name, would narrow the range most.';
  return undefined;
}
