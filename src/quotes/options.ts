import { formatUsd, mostUsd } from '../core/money.ts';
import { parseDuration } from '../core/time.ts';
import type { JobSpec } from '../protocol/job-spec.ts';
import type { Offer, QuoteOption } from '../protocol/quote.ts';
import type { Policy } from '../protocol/tenant.ts';
import { listCandidates, type Candidate } from './candidates.ts';
import { distribution, spreadAt, type Percentiles, type Spread } from './interval.ts';
import { paretoFront } from './pareto.ts';
import { modelSeconds } from './predict.ts';
import { costsOf, takenBy, type Taken } from './price.ts';
import { memoryReasons, policyReasons } from './reasons.ts';
import type { Wares } from './sellers.ts';
import { hardlyFinishes, unluckier } from './spot.ts';
import { carriagePrice, termsOf, type Around } from './terms.ts';
import type { Wanted } from './wanted.ts';
import type { Work } from './work.ts';

/** Seconds that a job so long would wait for such machines to be free, beside what they take to come up; or why it would for ever. */
export type QueueWait = (
  offer: Offer,
  durationSeconds: Percentiles,
) => { p50: number; p90: number; never?: readonly string[] };

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

export type Planned = {
  option: QuoteOption;
  /** Whether all that is in its way is that this installation does not buy there. */
  isForPlanning: boolean;
  /** What the whole is expected to take, where maxDuration stops it before. */
  wholeSeconds: number | undefined;
};

/** Every way to run the job, with time and cost as distributions, and the Pareto front marked; in no order yet. */
export function listOptions(input: OptionsInput): Planned[] {
  const { work, wanted, wares } = input;
  const figuresOn = figuresOf(input);
  const planned = listCandidates(wanted, work, wares).flatMap((candidate) => {
    const figures = figuresOn(candidate);
    return figures === undefined ? [] : [planOf(candidate, figures, input)];
  });
  markFront(planned);
  return planned;
}

/** What is the same on like machines wherever they are: the time, and what is in the way. */
type Figures = { taken: Taken; start: QuoteOption['start']; reasons: string[]; wholeSeconds: number | undefined };

/**
 * Worked out once for machines that are alike and as far from the bucket: most of the catalogue is a few machines in many
 * regions. Undefined where it is not known how fast they are.
 */
function figuresOf(input: OptionsInput): (candidate: Candidate) => Figures | undefined {
  const { spec, work, around } = input;
  const durationOn = durationsOf(input);
  const figuresOn = (candidate: Candidate): Figures | undefined => {
    const { count, nodes, gigaflopsPerCore, startSeconds } = candidate;
    const duration = durationOn(count * nodes, gigaflopsPerCore);
    if (duration === undefined) return undefined;
    const terms = termsOf(candidate, spec, around, duration.modelled);
    const reasons = memoryReasons(candidate, work);
    if (hardlyFinishes(duration.spread.p90, unluckier(terms.interruptions))) reasons.push(neverFinishing);
    const start = { p50Seconds: startSeconds.p50, p90Seconds: startSeconds.p90 };
    return { taken: takenBy(duration.spread, terms), start, reasons, wholeSeconds: duration.wholeSeconds };
  };
  const known = new Map<string, Figures | undefined>();
  return (candidate) => {
    const key = `${candidate.likeness} ${carriagePrice(candidate, around.bucketRegion)}`;
    const found = known.get(key) ?? figuresOn(candidate);
    known.set(key, found);
    return found;
  };
}

const neverFinishing =
  'It may never finish: spot machines hardly ever stay up so long at a stretch. Add checkpoints to the spec, or write them more often.';

const beyondMoney = `It may cost more than ${formatUsd(Math.floor(mostUsd))}, which can't be accounted for.`;

type Duration = { modelled: number; spread: Percentiles; wholeSeconds: number | undefined };

type DurationOn = (count: number, gigaflopsPerCore: number | undefined) => Duration | undefined;

/** By the number of accelerators and the rate of a core, worked out once each. */
function durationsOf({ spec, work, wanted, spread }: OptionsInput): DurationOn {
  const known = new Map<string, Duration | undefined>();
  const mostSeconds = spec.maxDuration === undefined ? Infinity : parseDuration(spec.maxDuration) / 1000;
  return (count, gigaflopsPerCore) => {
    const key = `${count}/${gigaflopsPerCore ?? ''}`;
    if (!known.has(key)) {
      const modelled = modelSeconds(spec, work, { kind: wanted.kind, count, gigaflopsPerCore });
      const whole = distribution(modelled ?? 0, spreadAt(spread, count));
      known.set(key, modelled === undefined ? undefined : { modelled, ...withinLimit(whole, mostSeconds) });
    }
    return known.get(key);
  };
}

/** An attempt is stopped at maxDuration, so it can neither take nor cost more. */
function withinLimit({ p10, p50, p90 }: Percentiles, most: number): Pick<Duration, 'spread' | 'wholeSeconds'> {
  const spread = { p10: Math.min(p10, most), p50: Math.min(p50, most), p90: Math.min(p90, most) };
  return { spread, wholeSeconds: p50 > most ? p50 : undefined };
}

function planOf(candidate: Candidate, figures: Figures, input: OptionsInput): Planned {
  const { taken, start, reasons: ofLike, wholeSeconds } = figures;
  const { offer, isForPlanning, microUsdPerHour } = candidate;
  const { durationSeconds, phases } = taken;
  const { costUsd, breakdown } = costsOf(taken, microUsdPerHour);
  const ofPolicy = policyReasons(candidate, input.policy);
  const ofMoney = costUsd.p90 > mostUsd ? [beyondMoney] : [];
  const { never = [], ...wait } = input.queueWait(offer, durationSeconds);
  const isOpen = ofPolicy.length + ofLike.length + ofMoney.length === 0;
  // What is only priced for planning is bought after an operator has changed more than a quota.
  const ofAccount = isForPlanning ? [] : never;
  const reasons =
    isOpen && ofAccount.length === 0
      ? candidate.reasons
      : [...candidate.reasons, ...ofPolicy, ...ofAccount, ...ofLike, ...ofMoney];
  const option = {
    id: input.newId(),
    offer,
    durationSeconds,
    costUsd,
    breakdown,
    phases,
    start: startAfter(start, wait),
    pareto: false,
    feasible: reasons.length === 0,
    reasons,
  };
  return { option, isForPlanning: isForPlanning && isOpen, wholeSeconds };
}

function startAfter(start: QuoteOption['start'], wait: { p50: number; p90: number }): QuoteOption['start'] {
  if (wait.p50 === 0 && wait.p90 === 0) return start;
  return { p50Seconds: start.p50Seconds + wait.p50, p90Seconds: start.p90Seconds + wait.p90 };
}

/** Among what can be bought; where nothing can, among what could be. */
function markFront(planned: readonly Planned[]): void {
  const feasible = planned.filter(({ option }) => option.feasible);
  const choice = feasible.length > 0 ? feasible : planned.filter(({ isForPlanning }) => isForPlanning);
  const front = paretoFront(
    choice.map(({ option }) => option),
    ({ costUsd }) => costUsd.p50,
    ({ start, durationSeconds }) => start.p50Seconds + durationSeconds.p50,
  );
  for (const option of front) option.pareto = true;
}
