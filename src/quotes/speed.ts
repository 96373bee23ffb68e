import { effectivePrecision, flopPerByte, peakFlops, supports, type Precision } from './catalogue.ts';
import { classTime, fadedSeconds } from './classes.ts';
import type { Offer } from '../protocol/quote.ts';
import { expectedShare, type Family, type SharePoint } from './share.ts';
import { tuningOf } from './tuning.ts';
import type { Work, WorkKind } from './work.ts';

/** Machines that a speed is asked for: `count` is of all nodes together; cores where the kind is cpu. */
export type Gang = {
  kind: string;
  count: number;
  /** What a matrix product in fp32 reaches on a core, as measured; undefined where it was not. */
  gigaflopsPerCore?: number | undefined;
};

/** All machines of an offer. */
export function gangOf({
  accelerators,
  nodes,
  gigaflopsPerCore,
}: Pick<Offer, 'accelerators' | 'nodes'> & Pick<Gang, 'gigaflopsPerCore'>): Gang {
  return { kind: accelerators.kind, count: accelerators.count * nodes, gigaflopsPerCore };
}

const families: Record<string, Family> = {
  V100: 'volta',
  A10G: 'ampere',
  A100: 'ampere',
  'A100-80GB': 'ampere',
  H100: 'hopper',
  H200: 'hopper',
  B200: 'blackwell',
};

/** Sold in machines whose accelerators talk over PCIe. */
const overPcie = new Set(['T4', 'P100', 'L4', 'A10G']);

/**
 * What a core reaches of its rate in a matrix product, measured as `gigaflopsPerCore` is (docs/quotes.md): compiled by XLA a small
 * transformer .7, a small convolutional net .3, large ones of both twice the rate, since 512-bit vectors are four of the measured
 * ones; a perceptron in plain JavaScript .05. Language and vision come in frameworks, and lose a part to data and eager steps;
 * anything else may be a loop of one's own. The interval is wide.
 */
const shareOfCores: Record<WorkKind, number> = {
  llm: 0.5,
  moe: 0.5,
  encoder: 0.5,
  'encoder-decoder': 0.5,
  vision: 0.3,
  diffusion: 0.3,
  speech: 0.3,
  recommender: 0.05,
  other: 0.05,
};

/** Cores share caches and memory: n cores are n^(1 - 0.15). */
const lossOfCores = 0.15;

/**
 * Where nothing was measured. A cloud's core is one of two threads of a core, which has 16 FLOP a cycle in fused 128-bit
 * multiply-adds, at 3 GHz.
 */
const usualGigaflopsPerCore = 25;

/** A step takes at least so long to be launched by the framework, whatever its size. */
const stepOverheadSeconds = 0.003;

type Machine = Pick<SharePoint, 'family' | 'flopPerByte' | 'isPcie' | 'hasBf16'>;

const machines = new Map<string, Machine | undefined>();

function machineOf(kind: string): Machine | undefined {
  if (!machines.has(kind)) {
    const balance = flopPerByte(kind);
    const machine = balance === undefined ? undefined : describeMachine(kind, balance);
    machines.set(kind, machine);
  }
  return machines.get(kind);
}

function describeMachine(kind: string, balance: number): Machine {
  return {
    family: families[kind] ?? (kind.startsWith('v') ? 'tpu' : 'older'),
    flopPerByte: balance,
    isPcie: overPcie.has(kind),
    hasBf16: supports(kind, 'bf16'),
  };
}

/** FLOP/s that the gang reaches on this work; undefined for a kind the catalogue does not know. */
export function achievedFlops(work: Work, gang: Gang): number | undefined {
  const { kind, count, gigaflopsPerCore = usualGigaflopsPerCore } = gang;
  if (kind === 'cpu') return gigaflopsPerCore * 1e9 * shareOfCores[work.kind] * count ** (1 - lossOfCores);
  const precision = effectivePrecision(kind, work.precision ?? 'bf16');
  const rate = rateIn(precision, work, gang);
  if (precision !== 'fp32' || rate === undefined || !supports(kind, 'tf32')) return rate;
  // The same tensors in fewer bits: tf32 is at least as fast, also where its peak is hardly above that of fp32.
  return Math.min(rate, rateIn('tf32', work, gang) ?? rate);
}

function rateIn(precision: Precision, work: Work, { kind, count }: Gang): number | undefined {
  const machine = machineOf(kind);
  const peak = peakFlops(kind, precision === 'fp32' || precision === 'tf32' ? precision : 'bf16');
  if (machine === undefined || peak === undefined) return undefined;
  return peak * count * expectedShare(pointOf(work, precision, { ...machine, count }));
}

function pointOf(work: Work, precision: SharePoint['precision'], machines: Machine & { count: number }): SharePoint {
  const { kind, activeParameters, shape, samples, steps } = work;
  const tokensPerStep =
    steps === null || samples === null || shape.sequenceLength === null
      ? null
      : (samples * shape.sequenceLength) / steps / machines.count;
  return {
    ...machines,
    kind,
    precision,
    parameters: activeParameters,
    sequenceLength: shape.sequenceLength,
    tokensPerStep,
    tuning: tuningOf(work),
    isSteady: false,
  };
}

/** A quote asks the same of each offer, so what was worked out for a work is kept as long as the work is. */
const workedOut = new WeakMap<Work, Map<string, number | undefined>>();

/** Seconds of the training itself, with no allowance for anything around it. */
export function workSeconds(work: Work, gang: Gang): number | undefined {
  if (work.seconds !== null) return work.seconds;
  const known = workedOut.get(work) ?? new Map<string, number | undefined>();
  workedOut.set(work, known);
  const key = `${gang.kind}:${gang.count}:${gang.gigaflopsPerCore ?? ''}`;
  if (!known.has(key)) known.set(key, trainingSeconds(work, gang));
  return known.get(key);
}

function trainingSeconds(work: Work, gang: Gang): number | undefined {
  const { class: ofClass, samples, shape } = work;
  const asClass = classTime({ class: ofClass, samples, batchSize: shape.batchSize }, gang);
  if (asClass?.weight === 1) return asClass.seconds;
  const bySpec = secondsBySpec(work, gang);
  return asClass === undefined || bySpec === undefined ? bySpec : fadedSeconds(asClass, bySpec);
}

function secondsBySpec(work: Work, gang: Gang): number | undefined {
  const rate = achievedFlops(work, gang);
  if (work.flops === null || rate === undefined) return undefined;
  const computing = work.flops / rate;
  if (gang.kind === 'cpu') return computing;
  if (work.steps !== null) return computing + work.steps * stepOverheadSeconds;
  return Math.max(computing, usualSteps(work, gang.count) * stepOverheadSeconds);
}

/** Of each accelerator in a step, where the batch is not known: it bounds the time from below, and is no reason for more of it. */
const usualSamples = 64;
const usualTokens = 16_384;
/** Of a recommender, rows: MLPerf's batch of 65,536 on eight. */
const usualRows = 8192;

function usualSteps({ kind, tokens, samples }: Work, count: number): number {
  if (tokens !== null) return tokens / usualTokens / count;
  return (samples ?? 0) / (kind === 'recommender' ? usualRows : usualSamples) / count;
}
