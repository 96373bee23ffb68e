import { peakFlops, supports, type Precision } from './catalogue.ts';
import type { Work, WorkKind } from './work.ts';

/** Machines that a speed is asked for: `count` is of all nodes together; cores where the kind is cpu. */
export type Gang = { kind: string; count: number };

type Family = 'language' | 'vision' | 'other';

const familyOf: Record<WorkKind, Family> = {
  llm: 'language',
  moe: 'language',
  encoder: 'language',
  'encoder-decoder': 'language',
  vision: 'vision',
  diffusion: 'vision',
  speech: 'vision',
  recommender: 'other',
  other: 'other',
};

/**
 * Wall-clock share of the peak dense bf16 rate that published runs reached, restarts and evaluation included (docs/quotes.md
 * has the sources). Language at 512 accelerators, vision at 8. Where no run is public the nearest kin stands in.
 */
const reached: Record<string, Record<Family, number>> = {
  T4: { language: 0.2, vision: 0.2, other: 0.1 },
  P100: { language: 0.25, vision: 0.25, other: 0.12 },
  V100: { language: 0.16, vision: 0.19, other: 0.1 },
  L4: { language: 0.2, vision: 0.13, other: 0.1 },
  A10G: { language: 0.25, vision: 0.22, other: 0.1 },
  A100: { language: 0.33, vision: 0.15, other: 0.1 },
  'A100-80GB': { language: 0.33, vision: 0.15, other: 0.1 },
  H100: { language: 0.235, vision: 0.11, other: 0.08 },
  H200: { language: 0.25, vision: 0.12, other: 0.08 },
  B200: { language: 0.2, vision: 0.1, other: 0.07 },
  tpu: { language: 0.3, vision: 0.2, other: 0.1 },
  // A training loop in an interpreter and a tuned BLAS both run on cores, so the middle of the two, and a wide interval.
  cpu: { language: 0.1, vision: 0.08, other: 0.06 },
};

/** A mixture of experts reaches less of its active FLOPs: .205 against .235 on H100. */
const moeFactor = 0.87;

/** How the rate per accelerator falls with their count, (n/n0)^-gamma: strong scaling of Megatron, MLPerf's ResNet. */
const scaling: Record<Family, { reference: number; gamma: number }> = {
  language: { reference: 512, gamma: 0.03 },
  vision: { reference: 8, gamma: 0.115 },
  other: { reference: 8, gamma: 0.18 },
};

/** Share of a precision's peak reached, against the share of the bf16 peak: fp8 saves less than its peak says, fp32 loses less. */
const precisionFactor: Record<Precision, number> = { fp8: 0.75, bf16: 1, fp16: 1, tf32: 1.2, fp32: 1.6 };

/** A step takes at least so long to be launched by the framework, whatever its size. */
const stepOverheadSeconds = 0.003;

/** FLOP/s that the gang reaches on this work; undefined for a kind the catalogue does not know. */
export function achievedFlops(work: Work, { kind, count }: Gang, petaflopsPerCore?: number): number | undefined {
  const precision = kind === 'cpu' ? 'fp32' : (work.precision ?? 'bf16');
  const peak = peakFlops(kind, precision, petaflopsPerCore);
  const shares = reached[kind] ?? (kind.startsWith('v') ? reached['tpu'] : undefined);
  if (peak === undefined || shares === undefined) return undefined;
  const family = familyOf[work.kind];
  const { reference, gamma } = kind === 'cpu' ? { reference: 1, gamma: 0.15 } : scaling[family];
  const ownRate = kind === 'cpu' || !supports(kind, precision) ? 1 : precisionFactor[precision];
  const share = shares[family] * ownRate * (work.kind === 'moe' ? moeFactor : 1) * (count / reference) ** -gamma;
  return peak * Math.min(share, highestShare) * count;
}

/** No published run has kept more of its peak; a higher figure is a wrong one. */
const highestShare = 0.75;

/** Seconds of the training itself, with no allowance for anything around it. */
export function workSeconds(work: Work, gang: Gang, petaflopsPerCore?: number): number | undefined {
  if (work.seconds !== null) return work.seconds;
  if (work.flops === null) return undefined;
  const rate = achievedFlops(work, gang, petaflopsPerCore);
  if (rate === undefined) return undefined;
  const launching = gang.kind === 'cpu' || work.steps === null ? 0 : work.steps * stepOverheadSeconds;
  return work.flops / rate + launching;
}
