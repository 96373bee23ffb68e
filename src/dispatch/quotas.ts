import { toUsd } from '../core/money.ts';
import type { Clock } from '../core/time.ts';
import type { Database } from '../db/database.ts';
import type { Quotas } from '../protocol/quota.ts';
import type { Policy } from '../protocol/tenant.ts';
import { withTeams } from '../shares/groups.ts';
import { committedOf } from '../shares/store.ts';
import { currentPolicies } from '../tenants/policies.ts';
import type { Capacities } from './capacity.ts';
import { ancestorsOf, rollUp } from './hierarchy.ts';
import { countQueued } from './queue-store.ts';
import { readHoldings, type Holding } from './quotas-store.ts';

export type QuotaDeps = {
  db: Database;
  now: Clock;
  capacities: () => Promise<Capacities>;
  petaflopsPerAccelerator: (kind: string) => number;
};

export type ReadQuotas = (tenantId: string) => Promise<Quotas>;

/** What a tenant holds of what it may: its quotas, what it borrows and lends, and its caps. */
export function createReadQuotas({ db, now, capacities, petaflopsPerAccelerator }: QuotaDeps): ReadQuotas {
  return async (tenantId) => {
    const [policies, holdings, pools, queued] = await Promise.all([
      currentPolicies(db.client),
      readHoldings(db.client),
      capacities(),
      countQueued(db.client, tenantId),
    ]);
    const policy = policies.get(tenantId) ?? {};
    const parents = parentsOf(policies);
    const counted = withTeams(tenantId, policies);
    const own = holdings.filter((holding) => counted.includes(holding.tenantId));
    const committed = await committedOf(db.client, counted, now());
    const kinds = new Set([...own.map(({ kind }) => kind), ...kindsOf(policy)]);
    const caps = policy.caps ?? {};
    return {
      items: [...kinds].toSorted().map((kind) => quotaUse(tenantId, kind, { policies, parents, holdings, pools })),
      runningJobs: { held: sumOf(own, ({ jobs }) => jobs), cap: caps.runningJobs ?? null },
      queuedJobs: { held: queued.get(tenantId) ?? 0, cap: caps.queuedJobs ?? null },
      computePflops: {
        held: sumOf(own, ({ kind, count }) => count * petaflopsPerAccelerator(kind)),
        cap: caps.computePflops ?? null,
      },
      budget: {
        monthlyUsd: policy.budget?.monthlyUsd ?? null,
        totalUsd: policy.budget?.totalUsd ?? null,
        spentThisMonthUsd: toUsd(committed.spentThisMonth),
        spentTotalUsd: toUsd(committed.spentTotal),
        reservedUsd: toUsd(committed.reserved),
      },
    };
  };
}

type Scene = {
  policies: ReadonlyMap<string, Policy>;
  parents: ReadonlyMap<string, string>;
  holdings: readonly Holding[];
  pools: Capacities;
};

function quotaUse(tenantId: string, kind: string, scene: Scene): Quotas['items'][number] {
  const { policies, parents, holdings, pools } = scene;
  const policy = policies.get(tenantId) ?? {};
  const ofKind = holdings.filter((holding) => holding.kind === kind);
  const held = rollUp(new Map(ofKind.map(({ tenantId: id, count }) => [id, count])), parents);
  const guaranteed = policy.guaranteed?.[kind] ?? 0;
  const own = held.get(tenantId) ?? 0;
  return {
    kind,
    held: own,
    guaranteed,
    borrowed: Math.max(0, own - guaranteed),
    lent: lentBy(tenantId, {
      parents,
      policies,
      held,
      kind,
      whole: wholeOf(kind, pools),
      used: sumOf(ofKind, ({ count }) => count),
    }),
    borrowingLimit: policy.borrowing?.[kind] ?? null,
    lendingLimit: policy.lending?.[kind] ?? null,
    cap: policy.caps?.accelerators?.[kind] ?? null,
  };
}

type Lending = {
  parents: ReadonlyMap<string, string>;
  policies: ReadonlyMap<string, Policy>;
  held: ReadonlyMap<string, number>;
  kind: string;
  /** What there is of the kind; undefined where it does not run out. */
  whole: number | undefined;
  used: number;
};

/**
 * Of what is idle of all guarantees, the pool can't have free what others use: that is lent, by each in proportion to what it could
 * lend. Where the pool does not run out nobody lends.
 */
function lentBy(tenantId: string, { parents, policies, held, kind, whole, used }: Lending): number {
  if (whole === undefined) return 0;
  const idleOf = (id: string): number => Math.max(0, (policies.get(id)?.guaranteed?.[kind] ?? 0) - (held.get(id) ?? 0));
  const lendableOf = (id: string): number => Math.min(idleOf(id), policies.get(id)?.lending?.[kind] ?? Infinity);
  const isGuaranteed = (id: string): boolean => (policies.get(id)?.guaranteed?.[kind] ?? 0) > 0;
  // What a team is guaranteed is a part of its organisation's guarantee.
  const ids = [...policies.keys()].filter((id) => !ancestorsOf(id, parents).some(isGuaranteed));
  const lendable = sumOf(ids, lendableOf);
  const lent = Math.min(lendable, Math.max(0, used + sumOf(ids, idleOf) - whole));
  return lendable === 0 ? 0 : (lent * lendableOf(tenantId)) / lendable;
}

/** What all pools have of a kind; undefined where one of them does not run out. */
function wholeOf(kind: string, pools: Capacities): number | undefined {
  let whole = 0;
  for (const capacity of pools.values()) {
    if (capacity === undefined) return undefined;
    if (kind === 'cpu') whole += capacity.cpus;
    else if (capacity.gpus.kind === kind) whole += capacity.gpus.count;
  }
  return whole;
}

function kindsOf({ guaranteed = {}, borrowing = {}, caps }: Policy): string[] {
  return [...Object.keys(guaranteed), ...Object.keys(borrowing), ...Object.keys(caps?.accelerators ?? {})];
}

function parentsOf(policies: ReadonlyMap<string, Policy>): Map<string, string> {
  return new Map([...policies].flatMap(([id, { parent }]) => (parent === undefined ? [] : [[id, parent] as const])));
}

function sumOf<T>(items: readonly T[], amountOf: (item: T) => number): number {
  return items.reduce((sum, item) => sum + amountOf(item), 0);
}
