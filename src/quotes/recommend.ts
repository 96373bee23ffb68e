import { formatUsd } from '../core/money.ts';
import type { JobSpec } from '../protocol/job-spec.ts';
import type { QuoteOption } from '../protocol/quote.ts';
import type { Percentiles } from './interval.ts';
import type { Planned } from './options.ts';

type Goal = Pick<JobSpec, 'objective' | 'deadline' | 'maxCostUsd'> & {
  providers: readonly string[] | null;
  /** Whether the number of accelerators is for weir to choose. */
  isCountOpen: boolean;
};

/**
 * Feasible first, then what only has to be bought; of each what is expected to be done within maxDuration first; then in the order
 * of the spec's providers; then, where weir chooses how many, what takes a month at most, and the nearest to it; then by the objective.
 */
export function inOrder(planned: readonly Planned[], { objective, providers, isCountOpen }: Goal): Planned[] {
  const rank = new Map(providers?.map((provider, at) => [provider, at]));
  const rankOf = (option: QuoteOption): number => rank.get(option.offer.provider) ?? rank.size;
  const excessOf = ({ durationSeconds }: QuoteOption): number =>
    isCountOpen ? Math.max(0, durationSeconds.p50 - mostPatienceSeconds) : 0;
  return planned.toSorted(
    (left, right) =>
      obstacleOf(left) - obstacleOf(right) ||
      Number(left.wholeSeconds !== undefined) - Number(right.wholeSeconds !== undefined) ||
      rankOf(left.option) - rankOf(right.option) ||
      excessOf(left.option) - excessOf(right.option) ||
      byObjective(left.option, right.option, objective),
  );
}

/** Nobody who leaves the count open means to wait for longer. */
const mostPatienceSeconds = 30 * 86_400;

/** What can't hold the model, or is not allowed, is no plan: it stands behind what an operator has only to connect. */
function obstacleOf({ option, isForPlanning }: Planned): number {
  if (option.feasible) return 0;
  return isForPlanning ? 1 : 2;
}

function byObjective(left: QuoteOption, right: QuoteOption, objective: JobSpec['objective']): number {
  const cost = expected((percentile) => left.costUsd[percentile] - right.costUsd[percentile]);
  const time = expected((percentile) => endsIn(left, percentile) - endsIn(right, percentile));
  return objective === 'fastest' ? time || cost : cost || time;
}

/** The mean by Swanson's rule, so that a spot machine which is cheap with luck alone does not pass for cheap. */
function expected(at: (percentile: keyof Percentiles) => number): number {
  return 0.3 * at('p10') + 0.4 * at('p50') + 0.3 * at('p90');
}

/** The first option in order that is expected to keep deadline and maxCostUsd, else the first that may; with a note where none is sure to. */
export function recommend(
  ordered: readonly QuoteOption[],
  goal: Goal,
  now: Date,
): { recommended: string | null; notes: string[] } {
  const feasible = ordered.filter((option) => option.feasible);
  const expected = feasible.find((option) => keeps(option, goal, 'p50', now));
  if (expected !== undefined) return { recommended: expected.id, notes: [] };
  if (feasible.length === 0) return { recommended: null, notes: [] };
  const limits = [
    ...(goal.deadline === undefined ? [] : [`by ${goal.deadline}`]),
    ...(goal.maxCostUsd === undefined ? [] : [`within ${formatUsd(goal.maxCostUsd)}`]),
  ].join(' and ');
  const possible = feasible.find((option) => keeps(option, goal, 'p10', now));
  const note =
    possible === undefined
      ? `No option ends ${limits}, even with luck.`
      : `No option is expected to end ${limits}; the recommended one may.`;
  return { recommended: possible?.id ?? null, notes: [note] };
}

function keeps(option: QuoteOption, { deadline, maxCostUsd }: Goal, percentile: 'p10' | 'p50', now: Date): boolean {
  const isInTime = deadline === undefined || now.getTime() + 1000 * endsIn(option, percentile) <= Date.parse(deadline);
  return isInTime && (maxCostUsd === undefined || option.costUsd[percentile] <= maxCostUsd);
}

function endsIn(option: QuoteOption, percentile: keyof Percentiles): number {
  return option.start.p50Seconds + option.durationSeconds[percentile];
}
