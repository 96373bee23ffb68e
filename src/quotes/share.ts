import fitted from './fitted/share.json' with { type: 'json' };
import type { Precision } from './catalogue.ts';
import { languageKinds } from './transformer.ts';
import type { WorkKind } from './work.ts';

/** Generations of accelerators whose software grew up together. */
export type Family = 'ampere' | 'hopper' | 'blackwell' | 'volta' | 'tpu' | 'older';

/** What the share of the peak depends on. */
export type SharePoint = {
  family: Family;
  /** Peak bf16 (fp16 where there is none) FLOP for each byte that memory delivers. */
  flopPerByte: number;
  /** Accelerators of one machine that talk over PCIe. */
  isPcie: boolean;
  hasBf16: boolean;
  kind: WorkKind;
  precision: Precision;
  /** Weights that a token meets; null where unknown. */
  parameters: number | null;
  sequenceLength: number | null;
  /** Tokens of one optimiser step on one accelerator; null where unknown. */
  tokensPerStep: number | null;
  count: number;
  /** From 0 for training anew to 1 for fine-tuning. */
  tuning: number;
  /** Of a tuned stack between failures, as vendors publish it, and not of a whole run by the wall clock. */
  isSteady: boolean;
};

const early: ReadonlySet<Family> = new Set<Family>(['volta', 'tpu', 'older']);
const isAnyOther: ReadonlySet<WorkKind> = new Set<WorkKind>(['recommender', 'other']);

/** Where the terms are zero: an A100 of 40 GB, 7 billion parameters, 2,048 tokens. */
const usual = {
  flopPerByte: 200,
  parameters: 7e9,
  sequenceLength: 2048,
  tokensPerStep: 16_384,
  gang: 64,
  visionGang: 8,
};

const when = (is: boolean): number => (is ? 1 : 0);

/** Logarithm against the usual, or none where unknown. */
const against = (value: number | null, usually: number): number => (value === null ? 0 : Math.log(value / usually));

/**
 * ln(share of the peak dense bf16 rate) is linear in these; of fp32 and tf32 it is the share of their own peak. A roofline makes
 * `balance`: what is not a matrix product waits for memory. `count` is what communication and stragglers take.
 */
export const shareTerms: Readonly<Record<string, (point: SharePoint) => number>> = {
  intercept: () => 1,
  hopper: ({ family }) => when(family === 'hopper'),
  blackwell: ({ family }) => when(family === 'blackwell'),
  volta: ({ family }) => when(family === 'volta'),
  older: ({ family }) => when(family === 'older'),
  tpu: ({ family }) => when(family === 'tpu'),
  balance: ({ flopPerByte }) => Math.log(flopPerByte / usual.flopPerByte),
  pcie: ({ isPcie, count }) => when(isPcie && count > 1),
  vision: ({ kind }) => when(!languageKinds.has(kind)),
  visionOnVolta: ({ kind, family }) => when(!languageKinds.has(kind) && family === 'volta'),
  visionOnTpu: ({ kind, family }) => when(kind === 'vision' && family === 'tpu'),
  diffusion: ({ kind }) => when(kind === 'diffusion'),
  other: ({ kind }) => when(isAnyOther.has(kind)),
  mixture: ({ kind }) => when(kind === 'moe'),
  // Software of before flash attention and packed sequences.
  earlyEncoder: ({ kind, family }) => when(kind === 'encoder' && early.has(family)),
  tuning: ({ tuning }) => tuning,
  fp8: ({ precision }) => when(precision === 'fp8'),
  fp16: ({ precision, kind, hasBf16 }) => when(precision === 'fp16' && hasBf16 && languageKinds.has(kind)),
  tf32: ({ precision }) => when(precision === 'tf32'),
  fp32: ({ precision }) => when(precision === 'fp32'),
  size: ({ kind, parameters }) => (languageKinds.has(kind) ? against(parameters, usual.parameters) : 0),
  sequence: ({ kind, sequenceLength }) => (languageKinds.has(kind) ? against(sequenceLength, usual.sequenceLength) : 0),
  // Half as many tokens of a model twice as large are no smaller a step.
  batch: ({ kind, tokensPerStep, parameters }) =>
    languageKinds.has(kind) && tokensPerStep !== null
      ? Math.min(0, against(tokensPerStep, usual.tokensPerStep) + Math.max(0, against(parameters, usual.parameters)))
      : 0,
  languageCount: ({ kind, count }) => (languageKinds.has(kind) ? Math.log(count / usual.gang) : 0),
  visionCount: ({ kind, count }) => (languageKinds.has(kind) ? 0 : Math.log(count / usual.visionGang)),
  steady: ({ isSteady }) => when(isSteady),
  steadyHopper: ({ isSteady, family }) => when(isSteady && family === 'hopper'),
  steadyMixture: ({ isSteady, kind }) => when(isSteady && kind === 'moe'),
};

/** No published run has kept more of its peak; a higher figure is a wrong one. */
const highestShare = 0.75;

const coefficients = Object.entries(shareTerms).map(
  ([name, term]) => [term, fitted.terms.find((each) => each.name === name)?.value ?? 0] as const,
);

/** Share of the peak that the fitted model expects; of bf16's (fp16's) unless the precision is fp32 or tf32. */
export function expectedShare(point: SharePoint): number {
  let sum = 0;
  for (const [term, coefficient] of coefficients) sum += coefficient * term(point);
  return Math.min(highestShare, Math.exp(sum));
}
