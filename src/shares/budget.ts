import { fromUsd, type MicroUsd } from '../core/money.ts';
import type { Policy } from '../protocol/tenant.ts';
import type { Committed } from './store.ts';

const nothing: Committed = { spentThisMonth: 0, spentTotal: 0, reserved: 0 };

/** What a tenant may still reserve: the smaller of month and total, without end where no budget limits it. */
export function budgetLeft({ budget }: Policy, { spentThisMonth, spentTotal, reserved } = nothing): MicroUsd {
  const monthly = fromUsd(budget?.monthlyUsd ?? Infinity) - spentThisMonth;
  const total = fromUsd(budget?.totalUsd ?? Infinity) - spentTotal;
  return Math.min(monthly, total) - reserved;
}
