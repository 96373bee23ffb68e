import type { MicroUsd } from '../core/money.ts';
import type { Sql } from '../db/database.ts';
import type { Policy } from '../protocol/tenant.ts';
import { budgetLeft } from '../shares/budget.ts';
import type { Committed } from '../shares/store.ts';
import { ancestorsOf, rollUp, type Parents } from './hierarchy.ts';
import { parentsOf } from './limits.ts';

export type BudgetDeps = {
  policies: (tx: Sql) => Promise<Map<string, Policy>>;
  /** Holds the accounts of these tenants until the transaction ends. */
  lockTenants: (tx: Sql, tenantIds: string[]) => Promise<unknown>;
  committed: (tx: Sql, now: Date) => Promise<Map<string, Committed>>;
};

/**
 * What a tenant may still reserve: the least that its own budget and those of the organisations above it have left. Holds the accounts
 * of all who spend from them until the transaction ends; in a transaction that writes to one of them, it comes first.
 */
export function createBudgetLeft(deps: BudgetDeps): (tx: Sql, tenantId: string, now: Date) => Promise<MicroUsd> {
  return async (tx, tenantId, now) => {
    const policies = await deps.policies(tx);
    const parents = parentsOf(policies);
    const spentFrom = [tenantId, ...ancestorsOf(tenantId, parents)];
    const budgeted = spentFrom.filter((id) => policies.get(id)?.budget !== undefined);
    if (budgeted.length === 0) return Infinity;
    await lockBudgets(tx, budgeted, policies, deps);
    const committed = rollUpCommitted(await deps.committed(tx, now), parents);
    return Math.min(...budgeted.map((id) => budgetLeft(policies.get(id) ?? {}, committed.get(id))));
  };
}

/** What is decided by a budget holds only if nobody of those who spend from it does so meanwhile. */
export async function lockBudgets(
  tx: Sql,
  deciding: string[],
  policies: Map<string, Policy>,
  { lockTenants }: Pick<BudgetDeps, 'lockTenants'>,
): Promise<void> {
  const budgeted = new Set(deciding.filter((id) => policies.get(id)?.budget !== undefined));
  const parents = parentsOf(policies);
  const spenders = [...parents.keys()].filter((id) => ancestorsOf(id, parents).some((above) => budgeted.has(above)));
  const locked = [...new Set([...budgeted, ...spenders])].toSorted();
  if (locked.length > 0) await lockTenants(tx, locked);
}

/** What each tenant has committed itself, together with all that those below it have. */
export function rollUpCommitted(own: Map<string, Committed>, parents: Parents): Map<string, Committed> {
  const part = (field: keyof Committed) =>
    rollUp(new Map([...own].map(([id, amounts]) => [id, amounts[field]])), parents);
  const [month, total, reserved] = [part('spentThisMonth'), part('spentTotal'), part('reserved')];
  return new Map(
    [...total].map(([id, spentTotal]) => [
      id,
      { spentTotal, spentThisMonth: month.get(id) ?? 0, reserved: reserved.get(id) ?? 0 },
    ]),
  );
}
