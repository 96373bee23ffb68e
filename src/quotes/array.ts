import { formatUsd, fromUsd, toUsd } from '../core/money.ts';
import type { JobSpec } from '../protocol/job-spec.ts';
import type { QuoteOption } from '../protocol/quote.ts';

/** How often the spec's command is run: once, or once for each task of its array. */
export function tasksOf({ array }: Pick<JobSpec, 'array'>): number {
  if (array === undefined) return 1;
  return 'count' in array ? array.count : array.values.length;
}

/** What an option costs for the whole array. Its times stay those of one task. */
export function ofAllTasks(option: QuoteOption, tasks: number): QuoteOption {
  return tasks === 1 ? option : withCosts(option, (usd) => toUsd(fromUsd(usd) * tasks));
}

/** The option as each task may run on it: what `ofAllTasks` was made of. */
export function ofOneTask(option: QuoteOption, tasks: number): QuoteOption {
  return tasks === 1 ? option : withCosts(option, (usd) => toUsd(fromUsd(usd) / tasks));
}

function withCosts(option: QuoteOption, change: (usd: number) => number): QuoteOption {
  return { ...option, costUsd: mapValues(option.costUsd, change), breakdown: mapValues(option.breakdown, change) };
}

function mapValues<T extends Record<string, number>>(record: T, change: (value: number) => number): T {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)])) as T;
}

/** What the quote of an array means, in words. `each`: the recommended option of one task. */
export function arrayAssumptions(tasks: number, each: QuoteOption | undefined): string[] {
  if (tasks === 1 || each === undefined) return [];
  return [
    `The array has ${tasks} tasks: costs are of all of them, ${tasks} × ${formatUsd(each.costUsd.p50)} at the median; times are of one task.`,
  ];
}
