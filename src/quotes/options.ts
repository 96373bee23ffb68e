import { toUsd } from '../core/money.ts';
import { parseDuration } from '../core/time.ts';
import type { JobSpec } from '../protocol/job-spec.ts';
import type { Offer, QuoteOption } from '../protocol/quote.ts';
import type { Policy } from '../protocol/tenant.ts';
import { listCandidates, type Candidate } from './candidates.ts';
import { distribution, type Percentiles, type Spread } from './interval.ts';
import { hostBytes, smallestCountThatHolds } from './memory.ts';
import { modelSeconds } from './predict.ts';
import { hardlyFinishesOnSpot, priced, type Terms } from './price.ts';
import type { Wares } from './sellers.ts';
import type { Wanted } from './wanted.ts';
import type { Work } from './work.ts';

export type OptionsInput = {
  spec: JobSpec;
  work: Work;
  wanted: Wanted;
  wares: Wares;
  spread: Spread;
  policy: Pick<Policy, 'providers' | 'regions'>;
  newId: () => string;
};

const defaultDiskGiB = 20;
const bytesPerGiB = 1024 ** 3;

/** Every way to run the job, with time and cost as distributions; in no order yet. */
export function listOptions(input: OptionsInput): QuoteOption[] {
  const { spec, work, wanted, wares, spread } = input;
  const durations = new Map<number, Percentiles | undefined>();
  const durationOn = (count: number): Percentiles | undefined => {
    if (!durations.has(count))
      durations.set(count, withinLimit(spread, spec, modelSeconds(spec, work, { kind: wanted.kind, count })));
    return durations.get(count);
  };
  return listCandidates(wanted, work, wares).flatMap((candidate) => {
    const duration = durationOn(candidate.count * candidate.nodes);
    return duration === undefined ? [] : [optionOf(candidate, duration, input)];
  });
}

/** An attempt is stopped at maxDuration, so it can neither take nor cost more. */
function withinLimit(spread: Spread, { maxDuration }: JobSpec, seconds: number | undefined): Percentiles | undefined {
  if (seconds === undefined) return undefined;
  const { p10, p50, p90 } = distribution(seconds, spread);
  const most = maxDuration === undefined ? Infinity : parseDuration(maxDuration) / 1000;
  return { p10: Math.min(p10, most), p50: Math.min(p50, most), p90: Math.min(p90, most) };
}

function optionOf(candidate: Candidate, duration: Percentiles, input: OptionsInput): QuoteOption {
  const terms = termsOf(candidate, input);
  const reasons = [
    ...candidate.reasons,
    ...policyReasons(candidate, input.policy),
    ...memoryReasons(candidate, input.work),
  ];
  if (hardlyFinishesOnSpot(duration.p50, terms))
    reasons.push(
      'Without checkpoints, spot machines would hardly ever let a job so long finish: add checkpoints to the spec.',
    );
  return {
    id: input.newId(),
    offer: offerOf(candidate),
    ...priced(duration, terms),
    start: { p50Seconds: candidate.startSeconds.p50, p90Seconds: candidate.startSeconds.p90 },
    feasible: reasons.length === 0,
    reasons,
  };
}

/** The parts of a candidate that name what is bought. */
type Named = Omit<Candidate, 'startSeconds' | 'memoryBytes' | 'isDiskExtra' | 'reasons'>;

export function offerOf({
  provider,
  region,
  zone,
  machineType,
  kind,
  count,
  nodes,
  market,
  microUsdPerHour,
  priceDate,
}: Named): Offer {
  return {
    id: `${provider}/${zone ?? region}/${machineType}/${kind}:${count}/${nodes}/${market}`,
    provider,
    region,
    zone,
    machineType,
    accelerators: { kind, count },
    nodes,
    market,
    hourlyUsd: toUsd(microUsdPerHour),
    priceDate,
  };
}

function termsOf(
  { market, nodes, microUsdPerHour, startSeconds, isDiskExtra }: Candidate,
  { spec, work, wanted }: OptionsInput,
): Terms {
  // The trained weights, in two bytes each, are fetched once by whoever trained them.
  const egressBytes = isDiskExtra && spec.outputs !== undefined ? 2 * (work.parameters ?? 0) : 0;
  return {
    market,
    nodes,
    microUsdPerHour,
    startSeconds,
    diskGiB: isDiskExtra ? (wanted.diskBytes === null ? defaultDiskGiB : wanted.diskBytes / bytesPerGiB) : 0,
    egressBytes,
    checkpointEverySeconds: everySeconds(spec.checkpoints),
  };
}

function everySeconds(checkpoints: JobSpec['checkpoints']): number | null | undefined {
  if (checkpoints === undefined) return null;
  return checkpoints.every === undefined ? undefined : parseDuration(checkpoints.every) / 1000;
}

/** Why the tenant may not buy there, whatever is sold. */
export function policyReasons(
  { provider, region }: Pick<Candidate, 'provider' | 'region'>,
  { providers, regions }: OptionsInput['policy'],
): string[] {
  const reasons: string[] = [];
  if (providers !== undefined && !providers.includes(provider))
    reasons.push(`The tenant's policy does not allow the provider ${provider}.`);
  if (regions !== undefined && !regions.includes(region))
    reasons.push(`The tenant's policy does not allow the region ${region}.`);
  return reasons;
}

function memoryReasons({ kind, count, nodes, machineType, memoryBytes }: Candidate, work: Work): string[] {
  if (kind === 'cpu') {
    const needed = hostBytes(work, nodes);
    if (needed === undefined || needed <= memoryBytes) return [];
    return [
      `The model needs ${gib(needed)} GiB of memory, and a node gets ${gib(memoryBytes)} of ${machineType}: state resources.memoryGiB.`,
    ];
  }
  const needed = smallestCountThatHolds(work, kind);
  if (needed === undefined || needed <= count * nodes) return [];
  if (needed === Infinity)
    return [`The model does not fit: the activations of one sequence are too large for any count of ${kind}.`];
  return [
    `The model does not fit: with its gradients, optimiser state and activations it needs at least ${needed} ${kind}, fully sharded.`,
  ];
}

const gib = (bytes: number): number => Math.ceil(bytes / bytesPerGiB);
