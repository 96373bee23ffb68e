import { Gauge, type Registry } from 'prom-client';
import { createCache } from '../core/cache.ts';
import { toUsd } from '../core/money.ts';
import { dayMs, type Clock } from '../core/time.ts';
import type { Database } from '../db/database.ts';
import type { Shares } from '../protocol/share.ts';
import type { Policy } from '../protocol/tenant.ts';
import { readPicture, sharesOf } from '../shares/picture.ts';
import type { SharesDeps } from '../shares/pool-use.ts';
import { committedByTenant, type Committed } from '../shares/store.ts';

export type ShareMetricDeps = {
  db: Database;
  now: Clock;
  petaflopsPerAccelerator: SharesDeps['petaflopsPerAccelerator'];
};

/** A share of thirty days moves slowly. */
const readingMs = 10_000;
const windowDays = 30;

/** Who holds how much, what was wasted, and how fast budgets burn: of the whole installation, so in Prometheus `max` of the processes. */
export function observeShares(registry: Registry, deps: ShareMetricDeps): () => Promise<void> {
  const series = createSeries(registry);
  const readings = createCache(() => read(series, deps), readingMs, deps.now);
  // Where the database is away, the last figures stay.
  return () => readings.get('').catch(() => undefined);
}

async function read(series: Series, { db, now, petaflopsPerAccelerator }: ShareMetricDeps): Promise<void> {
  const at = now();
  const window = { from: new Date(at.getTime() - windowDays * dayMs), to: at };
  const [picture, committed] = await Promise.all([
    readPicture({ sql: db.client, now: at, petaflopsPerAccelerator }, window),
    committedByTenant(db.client, at),
  ]);
  showShares(series, sharesOf(picture, { tenantId: null }));
  showMoney(series, committed, picture.policies);
}

type Series = ReturnType<typeof createSeries>;

function createSeries(registry: Registry) {
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  return {
    spent: gauge('weir_spent_usd', 'What all tenants owe.', ['period']),
    reserved: gauge('weir_reserved_usd', 'What running jobs of all tenants may still come to.'),
    tenantSpent: gauge('weir_tenant_spent_usd', 'What a tenant owes, of this month (UTC) or in all.', [
      'tenant',
      'period',
    ]),
    tenantReserved: gauge('weir_tenant_reserved_usd', 'What a tenant’s running jobs may still come to.', ['tenant']),
    tenantBudget: gauge('weir_tenant_budget_usd', 'A tenant’s budget; no series where there is none.', [
      'tenant',
      'period',
    ]),
    compute: gauge('weir_compute_pflops_days', 'PFLOP/s-days used in the last 30 days.'),
    wasted: gauge('weir_wasted_pflops_days', 'PFLOP/s-days of the last 30 days that came to nothing.', ['cause']),
    tenantShare: gauge('weir_tenant_share_ratio', 'A tenant’s share of the compute of the last 30 days.', ['tenant']),
    hhi: gauge(
      'weir_share_hhi',
      'Herfindahl–Hirschman index of the tenants’ shares of the last 30 days; 0: nothing used.',
    ),
    effectiveTenants: gauge('weir_share_effective_tenants', '1 ÷ weir_share_hhi; 0: nothing used.'),
    gini: gauge('weir_share_gini', 'Gini coefficient of what tenants used in the last 30 days.'),
    largest: gauge('weir_share_largest_ratio', 'The largest share of the last 30 days.'),
  };
}

function showShares(
  series: Series,
  { tenants, total, concentration, wasted }: Omit<Shares, 'groups' | 'series'>,
): void {
  series.tenantShare.reset();
  for (const { tenant, share } of tenants) if (tenant !== null) series.tenantShare.set({ tenant: tenant.id }, share);
  series.compute.set(total.compute);
  for (const [cause, { compute }] of Object.entries(wasted)) series.wasted.set({ cause }, compute);
  series.hhi.set(concentration.hhi ?? 0);
  series.effectiveTenants.set(concentration.effectiveTenants ?? 0);
  series.gini.set(concentration.gini ?? 0);
  series.largest.set(concentration.largestShare ?? 0);
}

function showMoney(series: Series, committed: Map<string, Committed>, policies: Map<string, Policy>): void {
  for (const each of [series.tenantSpent, series.tenantReserved, series.tenantBudget]) each.reset();
  const sum = { month: 0, total: 0, reserved: 0 };
  for (const [tenant, { spentThisMonth, spentTotal, reserved }] of committed) {
    sum.month += spentThisMonth;
    sum.total += spentTotal;
    sum.reserved += reserved;
    series.tenantSpent.set({ tenant, period: 'month' }, toUsd(spentThisMonth));
    series.tenantSpent.set({ tenant, period: 'total' }, toUsd(spentTotal));
    series.tenantReserved.set({ tenant }, toUsd(reserved));
    const { monthlyUsd, totalUsd } = policies.get(tenant)?.budget ?? {};
    if (monthlyUsd !== undefined) series.tenantBudget.set({ tenant, period: 'month' }, monthlyUsd);
    if (totalUsd !== undefined) series.tenantBudget.set({ tenant, period: 'total' }, totalUsd);
  }
  series.spent.set({ period: 'month' }, toUsd(sum.month));
  series.spent.set({ period: 'total' }, toUsd(sum.total));
  series.reserved.set(toUsd(sum.reserved));
}
