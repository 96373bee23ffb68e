import { dayMs } from '../core/time.ts';
import type { Run } from './simulate-jobs.ts';

type ByTenant = Map<string, number>;

export type Fairness = {
  /** The part of all compute that went to others than it should have, from 0 to 1. */
  error: number | null;
  /** The mean of each day's Herfindahl–Hirschman index, by what the day gave. */
  dailyHhi: number | null;
};

/**
 * How fair a replay was, day by day. What each day gave is shared out anew by weight among those who wanted some of it that
 * day, nobody getting more than it wanted (max-min fairness), and compared with who got it. Null where nothing ran.
 */
export function fairnessOf(
  runs: readonly Run[],
  weightOf: (tenantId: string) => number,
  from: number,
  to: number,
): Fairness {
  const { got, wanted } = byDay(runs, from, to);
  let total = 0;
  let misplaced = 0;
  let concentrated = 0;
  for (const [day, amounts] of got.entries()) {
    const given = sum(amounts);
    if (given === 0) continue;
    total += given;
    for (const [id, share] of shareOut(given, wanted[day] ?? new Map(), weightOf))
      misplaced += Math.abs((amounts.get(id) ?? 0) - share) / 2;
    for (const amount of amounts.values()) concentrated += amount * (amount / given);
  }
  return total > 0 ? { error: misplaced / total, dailyHhi: concentrated / total } : { error: null, dailyHhi: null };
}

/** What each tenant got of each day, and what it could have used: what had not run by then, from when it was submitted. */
function byDay(runs: readonly Run[], from: number, to: number): { got: ByTenant[]; wanted: ByTenant[] } {
  const length = Math.max(1, Math.ceil((to - from) / dayMs));
  const got: ByTenant[] = Array.from({ length }, () => new Map());
  const wanted: ByTenant[] = Array.from({ length }, () => new Map());
  for (const { tenantId, petaflops, submittedAt, stretches } of runs) {
    let since = submittedAt;
    for (const { startedAt, endedAt } of stretches) {
      for (let day = Math.floor((since - from) / dayMs); day < length; day += 1) {
        const begin = from + day * dayMs;
        const end = begin + dayMs;
        if (begin >= endedAt) break;
        const ranBefore = Math.max(0, begin - startedAt);
        const ran = Math.max(0, Math.min(end, endedAt) - Math.max(begin, startedAt));
        const couldRun = Math.min(endedAt - startedAt - ranBefore, end - Math.max(begin, since));
        add(got[day], tenantId, (petaflops * ran) / 1000);
        add(wanted[day], tenantId, (petaflops * couldRun) / 1000);
      }
      since = endedAt;
    }
  }
  return { got, wanted };
}

/** Max-min by weight: nobody gets more than it wants, and what it leaves goes to the others. */
export function shareOut(amount: number, wanted: ByTenant, weightOf: (tenantId: string) => number): ByTenant {
  const shares: ByTenant = new Map();
  // Who wants least for its weight is served first, in full where an equal share of what is left is enough.
  const order = [...wanted]
    .map(([id, want]) => ({ id, want, weight: weightOf(id) }))
    .toSorted((a, b) => a.want / a.weight - b.want / b.weight);
  let left = amount;
  let weights = order.reduce((total, { weight }) => total + weight, 0);
  for (const { id, want, weight } of order) {
    const share = Math.min(want, (left * weight) / weights);
    shares.set(id, share);
    left -= share;
    weights -= weight;
  }
  return shares;
}

function add(amounts: ByTenant | undefined, id: string, amount: number): void {
  if (amount > 0) amounts?.set(id, (amounts.get(id) ?? 0) + amount);
}

function sum(amounts: ByTenant): number {
  return [...amounts.values()].reduce((total, amount) => total + amount, 0);
}
