import { toUsd } from '../core/money.ts';
import { parseDuration } from '../core/time.ts';
import type { JobSpec } from '../protocol/job-spec.ts';
import type { Offer, QuoteOption } from '../protocol/quote.ts';
import type { Policy } from '../protocol/tenant.ts';
import { listCandidates, type Candidate } from './candidates.ts';
import { distribution, spreadAt, type Percentiles, type Spread } from './interval.ts';
import { paretoFront } from './pareto.ts';
import { modelSeconds } from './predict.ts';
import { priced } from './price.ts';
import { memoryReasons, policyReasons } from './reasons.ts';
import type { Wares } from './sellers.ts';
import { hardlyFinishes } from './spot.ts';
import { termsOf, type Around } from './terms.ts';
import type { Wanted } from './wanted.ts';
import type { Work } from './work.ts';

/** Seconds that a job so long would wait for such machines to be free, beside what they take to come up. */
export type QueueWait = (offer: Offer, durationSeconds: Percentiles) => { p50: number; p90: number };

export type OptionsInput = {
  spec: JobSpec;
  work: Work;
  wanted: Wanted;
  wares: Wares;
  spread: Spread;
  policy: Pick<Policy, 'providers' | 'regions'>;
  around: Around;
  queueWait: QueueWait;
  newId: () => string;
};

/** An option, and whether all that is in its way is that this installation does not buy there. */
type Planned = { option: QuoteOption; isForPlanning: boolean };

/** Every way to run the job, with time and cost as distributions, and the Pareto front marked; in no order yet. */
export function listOptions(input: OptionsInput): QuoteOption[] {
  const { work, wanted, wares, around } = input;
  const durationOn = durationsOf(input);
  const planned = listCandidates(wanted, work, wares).flatMap((candidate) => {
    const duration = durationOn(candidate.count * candidate.nodes, candidate.gigaflopsPerCore);
    return duration === undefined ? [] : [planOf(candidate, duration, around, input)];
  });
  return withFront(planned);
}

type Duration = { modelled: number; spread: Percentiles };

type DurationOn = (count: number, gigaflopsPerCore: number | undefined) => Duration | undefined;

/** By the number of accelerators and the rate of a core, worked out once each. */
function durationsOf({ spec, work, wanted, spread }: OptionsInput): DurationOn {
  const known = new Map<string, Duration | undefined>();
  const mostSeconds = spec.maxDuration === undefined ? Infinity : parseDuration(spec.maxDuration) / 1000;
  return (count, gigaflopsPerCore) => {
    const key = `${count}/${gigaflopsPerCore ?? ''}`;
    if (!known.has(key)) {
      const modelled = modelSeconds(spec, work, { kind: wanted.kind, count, gigaflopsPerCore });
      known.set(
        key,
        modelled === undefined
          ? undefined
          : { modelled, spread: withinLimit(distribution(modelled, spreadAt(spread, count)), mostSeconds) },
      );
    }
    return known.get(key);
  };
}

/** An attempt is stopped at maxDuration, so it can neither take nor cost more. */
function withinLimit({ p10, p50, p90 }: Percentiles, most: number): Percentiles {
  return { p10: Math.min(p10, most), p50: Math.min(p50, most), p90: Math.min(p90, most) };
}

function planOf(candidate: Candidate, { modelled, spread }: Duration, around: Around, input: OptionsInput): Planned {
  const terms = termsOf(candidate, input.spec, around, modelled);
  const others = [...policyReasons(candidate, input.policy), ...memoryReasons(candidate, input.work)];
  if (hardlyFinishes(spread.p50, terms.interruptions))
    others.push(
      'Without checkpoints, spot machines would hardly ever let a job so long finish: add checkpoints to the spec.',
    );
  const reasons = [...candidate.reasons, ...others];
  const { startSeconds } = candidate;
  const offer = offerOf(candidate);
  const price = priced(spread, terms);
  const wait = input.queueWait(offer, price.durationSeconds);
  const option = {
    id: input.newId(),
    offer,
    ...price,
    start: { p50Seconds: startSeconds.p50 + wait.p50, p90Seconds: startSeconds.p90 + wait.p90 },
    pareto: false,
    feasible: reasons.length === 0,
    reasons,
  };
  return { option, isForPlanning: candidate.isForPlanning && others.length === 0 };
}

/** Among what can be bought; where nothing can, among what could be. */
function withFront(planned: readonly Planned[]): QuoteOption[] {
  const options = planned.map(({ option }) => option);
  const feasible = options.filter((option) => option.feasible);
  const choice =
    feasible.length > 0 ? feasible : planned.flatMap(({ option, isForPlanning }) => (isForPlanning ? [option] : []));
  const front = paretoFront(
    choice,
    ({ costUsd }) => costUsd.p50,
    ({ start, durationSeconds }) => start.p50Seconds + durationSeconds.p50,
  );
  for (const option of front) option.pareto = true;
  return options;
}

/** The parts of a candidate that name what is bought. */
type Named = Pick<
  Candidate,
  | 'provider'
  | 'region'
  | 'zone'
  | 'machineType'
  | 'kind'
  | 'count'
  | 'nodes'
  | 'gigaflopsPerCore'
  | 'market'
  | 'microUsdPerHour'
  | 'priceDate'
>;

export function offerOf({
  provider,
  region,
  zone,
  machineType,
  kind,
  count,
  nodes,
  gigaflopsPerCore,
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
    ...(gigaflopsPerCore === undefined ? {} : { gigaflopsPerCore }),
    market,
    hourlyUsd: toUsd(microUsdPerHour),
    priceDate,
  };
}
