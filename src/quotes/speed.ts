import { flopPerByte, peakFlops, supports } from './catalogue.ts';
import { classSeconds } from './classes.ts';
import { expectedShare, type Family, type SharePoint } from './share.ts';
import type { Work, WorkKind } from './work.ts';

/** Machines that a speed is asked for: `count` is of all nodes together; cores where the kind is cpu. */
export type Gang = { kind: string; count: number };

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
 * Share of a core's peak fp32 rate. A training loop in an interpreter and a tuned BLAS both run on cores, so this is the middle of
 * the two, and its interval is wide. Cores share caches and memory: (n)^-0.15.
 */
const shareOfCores: Record<WorkKind, number> = {
  llm: 0.1,
  moe: 0.1,
  encoder: 0.1,
  'encoder-decoder': 0.1,
  vision: 0.08,
  diffusion: 0.08,
  speech: 0.08,
  recommender: 0.06,
  other: 0.06,
};
const lossOfCores = 0.15;

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
export function achievedFlops(work: Work, gang: Gang, petaflopsPerCore?: number): number | undefined {
  const { kind, count } = gang;
  if (kind === 'cpu') {
    const peak = peakFlops('cpu', 'fp32', petaflopsPerCore) ?? 0;
    return peak * shareOfCores[work.kind] * count ** (1 - lossOfCores);
  }
  const stated = work.precision ?? 'bf16';
  // A precision without a rate of its own runs at the next wider one's.
  const precision = stated !== 'bf16' && supports(kind, stated) ? stated : 'bf16';
  const machine = machineOf(kind);
  const peak = peakFlops(kind, precision === 'fp32' || precision === 'tf32' ? precision : 'bf16');
  if (machine === undefined || peak === undefined) return undefined;
  return peak * count * expectedShare(pointOf(work, precision, { ...machine, count }));
}

function pointOf(
  { kind, activeParameters, shape, samples, steps }: Work,
  precision: SharePoint['precision'],
  machines: Machine & { count: number },
): SharePoint {
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
    isSteady: false,
  };
}

/** A quote asks the same of each offer, so what was worked out for a work is kept as long as the work is. */
const workedOut = new WeakMap<Work, Map<string, number | undefined>>();

/** Seconds of the training itself, with no allowance for anything around it. */
export function workSeconds(work: Work, gang: Gang, petaflopsPerCore?: number): number | undefined {
  if (work.seconds !== null) return work.seconds;
  const known = workedOut.get(work) ?? new Map<string, number | undefined>();
  workedOut.set(work, known);
  const key = `${gang.kind}:${gang.count}:${petaflopsPerCore ?? ''}`;
  if (!known.has(key)) known.set(key, trainingSeconds(work, gang, petaflopsPerCore));
  return known.get(key);
}

function trainingSeconds(work: Work, gang: Gang, petaflopsPerCore?: number): number | undefined {
  const { class: ofClass, samples, shape } = work;
  const asClass = classSeconds({ class: ofClass, samples, batchSize: shape.batchSize }, gang);
  if (asClass !== undefined) return asClass;
  if (work.flops === null) return undefined;
  const rate = achievedFlops(work, gang, petaflopsPerCore);
  if (rate === undefined) return undefined;
  const launching = gang.kind === 'cpu' || work.steps === null ? 0 : work.steps * stepOverheadSeconds;
  return work.flops / rate + launching;
}
