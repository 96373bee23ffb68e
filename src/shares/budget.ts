import { fromUsd, type MicroUsd } from '../core/money.ts';
import type { Policy } from '../protocol/tenant.ts';
import type { Committed } from './store.ts';

const nothing: Committed = { spentThisMonth: 0, spentTotal: 0, reserved: 0 };

/** What a tenant may still reserve: the smaller of month and total, without end where no budget limits it. */
export function budgetLeft(policy: Policy, committed = nothing): MicroUsd {
  const { monthly, total } = unspent(policy, committed);
  return Math.min(monthly, total) - committed.reserved;
}

/** Whether it is the month's budget that leaves the least: then a new month brings more. */
export function isMonthTighter(policy: Policy, committed = nothing): boolean {
  const { monthly, total } = unspent(policy, committed);
  return monthly < total;
}

function unspent({ budget }: Policy, { spentThisMonth, spentTotal }: Committed) {
  return {
    monthly: fromUsd(budget?.monthlyUsd ?? Infinity) - spentThisMonth,
    total: fromUsd(budget?.totalUsd ?? Infinity) - spentTotal,
  };
}
