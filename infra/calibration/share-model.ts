import { peakFlops } from '../../src/quotes/catalogue.ts';
import { shareTerms, type Family, type SharePoint } from '../../src/quotes/share.ts';
import { tuningOf } from '../../src/quotes/tuning.ts';
import { resolveWork } from '../../src/quotes/work.ts';
import type { BenchmarkRun, Hardware, Run, Tables, Throughput } from './compact.ts';
import { regress, type Belief } from './linear.ts';

/** One row of the fit of the share of the peak. */
export type Observation = {
  point: SharePoint;
  logShare: number;
  weight: number;
  /** Rows of one origin are left out together. */
  origin: string;
};

/**
 * What is expected of each coefficient before any row: physics and what cost tables of other sources say (docs/quote-accuracy.md).
 * A term that no row bears, as `other`, stays what it is believed to be.
 */
const beliefs: Record<keyof typeof shareTerms, Belief> = {
  intercept: { mean: Math.log(0.33), deviation: 1 },
  hopper: { mean: -0.2, deviation: 0.3 },
  blackwell: { mean: -0.3, deviation: 0.3 },
  // Of language models V100 keep .16 of the peak by the clock on the wall where A100 keep .33.
  volta: { mean: -0.6, deviation: 0.3 },
  older: { mean: -0.3, deviation: 0.2 },
  tpu: { mean: 0, deviation: 0.3 },
  balance: { mean: -0.2, deviation: 0.2 },
  pcie: { mean: -0.15, deviation: 0.1 },
  vision: { mean: -0.8, deviation: 0.5 },
  visionOnVolta: { mean: 0.4, deviation: 0.3 },
  // MLPerf's ResNet keeps 1.6 times as much of TPU v3 and v4 as of A100; its few rows here have little weight. ViT keeps more.
  visionOnTpu: { mean: 0.45, deviation: 0.4 },
  // Of Stable Diffusion three runs kept .04, .04 and .16, of DiT one .07, where vision keeps .12.
  diffusion: { mean: -0.5, deviation: 0.4 },
  other: { mean: -0.4, deviation: 0.3 },
  mixture: { mean: -0.3, deviation: 0.3 },
  // BERT, XLNet, ELECTRA, RoBERTa and ESM keep .09 to .15 of V100 and TPU v2 and v3.
  earlyEncoder: { mean: -0.3, deviation: 0.3 },
  // Of published fine-tunes s1 keeps .15 of the peak, Alpaca and FLAN .12, Vicuna .16 and QLoRA's 65B .07; Flan-PaLM .30.
  tuning: { mean: -0.6, deviation: 0.3 },
  fp8: { mean: 0.3, deviation: 0.3 },
  fp16: { mean: 0, deviation: 0.3 },
  tf32: { mean: 0, deviation: 0.3 },
  fp32: { mean: 0.5, deviation: 0.3 },
  size: { mean: 0, deviation: 0.1 },
  sequence: { mean: 0, deviation: 0.05 },
  batch: { mean: 0.1, deviation: 0.1 },
  // Megatron's strong scaling from 96 to 4,608 H100 and MLPerf's ResNet.
  languageCount: { mean: -0.03, deviation: 0.01 },
  visionCount: { mean: -0.115, deviation: 0.03 },
  steady: { mean: 0.3, deviation: 0.3 },
  steadyHopper: { mean: 0, deviation: 0.2 },
  // Steady rates of mixtures are nearly all one vendor's, of few configurations in many releases; whole runs are others'.
  steadyMixture: { mean: 0, deviation: 0.2 },
};

/** A term of the model, and what is expected of its coefficient. */
export type Term = { name: string; of: (point: SharePoint) => number; belief: Belief };

/** Those that quotes are made with. */
export const quotedTerms: readonly Term[] = Object.entries(shareTerms).map(([name, of]) => ({
  name,
  of,
  belief: beliefs[name] ?? { mean: 0, deviation: 1 },
}));

const noise = 0.3;

/** Coefficients by name. */
export type ShareFit = Record<string, number>;

export function fitShare(observations: readonly Observation[], terms = quotedTerms): ShareFit {
  const values = regress({
    rows: observations.map(({ point }) => terms.map(({ of }) => of(point))),
    values: observations.map(({ logShare }) => logShare),
    weights: observations.map(({ weight }) => weight),
    beliefs: terms.map(({ belief }) => belief),
    noise,
  });
  return Object.fromEntries(terms.map(({ name }, at) => [name, Number((values[at] ?? 0).toPrecision(5))]));
}

/** How many rows bear on a term. */
export function bearing(observations: readonly Observation[], name: string): number {
  return observations.filter(({ point }) => (shareTerms[name]?.(point) ?? 0) !== 0).length;
}

const highestShare = Math.log(0.75);

export function predictLogShare(fit: ShareFit, point: SharePoint, terms = quotedTerms): number {
  return Math.min(
    highestShare,
    terms.reduce((sum, { name, of }) => sum + (fit[name] ?? 0) * of(point), 0),
  );
}

const families: [RegExp, Family][] = [
  [/^A(100|30|10G|40)|^RTXA/, 'ampere'],
  [/^(H100|H200|H800|GH200)/, 'hopper'],
  [/^(B200|B300|GB200|GB300)/, 'blackwell'],
  [/^V100/, 'volta'],
  [/^TPU/, 'tpu'],
];
const overPcie = /PCIE|^(L4|L40|L40S|A10G|A30|T4|RTX.*)$/;

/** Makers of what weir can sell; what others make has other software. */
const served = new Set(['nvidia', 'google']);

type Machine = Pick<SharePoint, 'family' | 'flopPerByte' | 'isPcie' | 'hasBf16'> & { peakFlops: number };

function machineOf(hardware: readonly Hardware[], accelerator: string): Machine | undefined {
  const found = hardware.find(({ name }) => name === accelerator);
  if (found === undefined || !served.has(found.vendor)) return undefined;
  const family = families.find(([pattern]) => pattern.test(accelerator))?.[1] ?? 'older';
  return {
    family,
    flopPerByte: (found.peakTflops * 1000) / found.memoryGBs,
    isPcie: overPcie.test(accelerator),
    hasBf16: family !== 'volta' && family !== 'older',
    peakFlops: found.peakTflops * 1e12,
  };
}

/** Where the table does not say how many accelerators ran. */
const usualCount = 512;

export function observeRun(run: Run, hardware: readonly Hardware[]): Observation | undefined {
  const machine = machineOf(hardware, run.accelerator);
  const work = resolveWork(run.workload);
  if (machine === undefined || work.flops === null) return undefined;
  const { peakFlops: peak, ...known } = machine;
  const count = run.count ?? usualCount;
  return {
    point: {
      ...known,
      kind: work.kind,
      precision: work.precision ?? 'bf16',
      parameters: work.activeParameters,
      sequenceLength: work.shape.sequenceLength,
      tokensPerStep: null,
      count,
      tuning: tuningOf(work),
      isSteady: false,
    },
    logShare: Math.log(work.flops / (run.acceleratorHours * 3600 * peak)),
    weight: 1,
    origin: run.group,
  };
}

/**
 * The same run with its batch in the point, where it is known. Fits are made without: most runs do not tell theirs, and what a usual
 * batch costs is in the intercept.
 */
export function withBatch({ workload, count }: Run, observed: Observation): Observation | undefined {
  const { batchSize, sequenceLength } = resolveWork(workload).shape;
  if (batchSize === null || sequenceLength === null || count === null) return undefined;
  return { ...observed, point: { ...observed.point, tokensPerStep: (batchSize * sequenceLength) / count } };
}

function observeThroughput(row: Throughput, hardware: readonly Hardware[]): Observation | undefined {
  const machine = machineOf(hardware, row.accelerator);
  if (machine === undefined) return undefined;
  const { peakFlops: peak, ...known } = machine;
  const precision = precisionOf(row.precision);
  const own = ownPeak(precision, row.accelerator) ?? peak;
  return {
    point: {
      ...known,
      kind: row.isVision ? 'vision' : row.isMixture ? 'moe' : 'llm',
      precision,
      parameters: row.parameters,
      sequenceLength: row.sequenceLength,
      tokensPerStep:
        row.batch === null || row.sequenceLength === null ? null : (row.batch * row.sequenceLength) / row.count,
      count: row.count,
      tuning: 0,
      isSteady: true,
    },
    logShare: Math.log((row.tflops * 1e12) / own),
    weight: 0.3,
    origin: originOf(row.source),
  };
}

function precisionOf(text: string): SharePoint['precision'] {
  if (/fp8|fp4|int8/.test(text)) return 'fp8';
  return text === 'fp16' || text === 'tf32' || text === 'fp32' ? text : 'bf16';
}

/** fp32 and tf32 are measured against their own peaks. */
function ownPeak(precision: SharePoint['precision'], accelerator: string): number | undefined {
  if (precision !== 'fp32' && precision !== 'tf32') return undefined;
  return peakFlops(accelerator.startsWith('V100') ? 'V100' : 'A100', precision);
}

/** Sources of whoever also made a run of the table are left out with it. */
const sameHand: [RegExp, string][] = [
  [/^mosaicml/, 'mpt'],
  [/^karpathy\/llm\.c/, 'llm.c'],
  [/^bigscience/, 'BLOOM-176B'],
  [/^NVIDIA\/DeepLearningExamples/, 'resnet'],
];

function originOf(source: string): string {
  return sameHand.find(([pattern]) => pattern.test(source))?.[1] ?? source;
}

/** ResNet-50's forward and backward pass at 224 px. */
const resnetFlops = 2.46e10;

/** Larger gangs are tuned for the record, not for what they cost. */
const largestResnetGang = 64;

/** MLPerf's ResNet: the only whole runs that are public of many accelerators. */
function observeResnet(row: BenchmarkRun, hardware: readonly Hardware[]): Observation | undefined {
  const machine = machineOf(hardware, row.accelerator);
  if (row.class !== 'resnet' || row.samples === null || row.count > largestResnetGang || machine === undefined)
    return undefined;
  const { peakFlops: peak, ...known } = machine;
  return {
    point: {
      ...known,
      kind: 'vision',
      precision: 'fp16',
      parameters: 2.56e7,
      sequenceLength: null,
      tokensPerStep: null,
      count: row.count,
      tuning: 0,
      isSteady: true,
    },
    logShare: Math.log((row.samples * resnetFlops) / (row.minutes * 60 * row.count * peak)),
    weight: 0.05,
    origin: row.submitter === 'nvidia' ? 'resnet' : `mlperf/${row.submitter}`,
  };
}

export function observeAll({ runs, throughput, benchmarks, hardware }: Tables): Observation[] {
  return [
    ...runs.flatMap((run) => observeRun(run, hardware) ?? []),
    ...throughput.flatMap((row) => observeThroughput(row, hardware) ?? []),
    ...benchmarks.flatMap((row) => observeResnet(row, hardware) ?? []),
  ];
}

/** Runs that the tables do not have: for the shipped coefficients, which no measurement on the tables' runs sees. */
export function observeElsewhere({ elsewhere, hardware }: Tables): Observation[] {
  return elsewhere.flatMap((run) => observeRun(run, hardware) ?? []);
}
