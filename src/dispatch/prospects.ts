import { createCache } from '../core/cache.ts';
import type { MicroUsd } from '../core/money.ts';
import type { Clock } from '../core/time.ts';
import type { Database, Sql } from '../db/database.ts';
import { isWholeKnown, mostOfKind, quotaId, takesOf, type KnownQuotas } from '../instances/account-quota.ts';
import { listAccountQuotas } from '../instances/account-quota-store.ts';
import type { Prospects } from '../jobs/admission.ts';
import type { Policy, PoolPolicy } from '../protocol/tenant.ts';
import type { Capacity } from '../providers/provider.ts';
import type { Committed } from '../shares/store.ts';
import type { Lineage } from '../tenants/lineage.ts';
import { rollUpCommitted } from './budgets.ts';
import { accountPetaflops, ofAllNodes } from './account-quotas.ts';
import { petaflopsOf, type Capacities } from './capacity.ts';
import { ancestorsOf } from './hierarchy.ts';
import { createKept, type Holder } from './kept.ts';
import { concentrationWindowMs, limitsOf, parentsOf } from './limits.ts';

export type ProspectsDeps = {
  db: Database;
  now: Clock;
  capacities: () => Promise<Capacities>;
  petaflopsPerAccelerator: (kind: string) => number;
  policies: (sql: Sql) => Promise<Map<string, Policy>>;
  poolPolicy: (sql: Sql) => Promise<PoolPolicy>;
  committed: (sql: Sql, now: Date) => Promise<Map<string, Committed>>;
};

/** Policies change seldom, and a job that slips through meanwhile waits like any other. */
const lifeMs = 1_000;

/** How much a tenant could ever have, were nobody else at work, and what of total budgets is spent for good. */
export function createProspects(deps: ProspectsDeps) {
  const { db, now, petaflopsPerAccelerator } = deps;
  const policies = createCache(
    async () => ({ known: await deps.policies(db.client), pool: await deps.poolPolicy(db.client) }),
    lifeMs,
    now,
  );
  const accounts = createCache(() => listAccountQuotas(db.client, now()), lifeMs, now);
  const prospects = async (lineage: Lineage): Promise<Prospects> => {
    const [{ known, pool }, quotas, capacities] = await Promise.all([
      policies.get(''),
      accounts.get(''),
      deps.capacities(),
    ]);
    const hasTotal = lineage.some(({ policy }) => policy.budget?.totalUsd !== undefined);
    const counted = new Set(quotas.filter(isWholeKnown).map(({ provider }) => provider));
    const isCounted = [...capacities].every(([name, capacity]) => capacity !== undefined || counted.has(name));
    const poolPetaflops =
      petaflopsOf(capacities, petaflopsPerAccelerator) + accountPetaflops(quotas, petaflopsPerAccelerator);
    return {
      spentTotals: hasTotal ? await readSpent(known, deps) : new Map(),
      most: mostOf(lineage[0]?.id ?? '', known, { capacities, quotas }),
      tooSmall: tooSmallIn(quotas),
      poolPetaflops: isCounted ? poolPetaflops : Infinity,
      ceilings: {
        hhi: pool.hhiCeiling ?? Infinity,
        largestShare: pool.largestShareCeiling ?? Infinity,
        windowMs: concentrationWindowMs,
      },
    };
  };
  return { prospects, forgetPolicies: () => policies.forget('') };
}

async function readSpent(
  policies: Map<string, Policy>,
  { db, now, committed }: ProspectsDeps,
): Promise<Map<string, MicroUsd>> {
  const rolled = rollUpCommitted(await committed(db.client, now()), parentsOf(policies));
  return new Map([...rolled].map(([id, { spentTotal }]) => [id, spentTotal]));
}

/** Of what there is of a kind, all but what others are guaranteed and never lend. */
type Whole = { capacities: Capacities; quotas: readonly KnownQuotas[] };

function mostOf(tenantId: string, policies: Map<string, Policy>, { capacities, quotas }: Whole): Prospects['most'] {
  const holders = holdersOf(new Map([...policies, [tenantId, policies.get(tenantId) ?? {}]]));
  const kept = createKept([...holders.values()]);
  const own = holders.get(tenantId);
  const allOf = (provider: string, kind: string): number => {
    const capacity = capacities.get(provider);
    const account = quotas.find((each) => each.provider === provider);
    return (capacity === undefined ? account && mostOfKind(account, kind) : countOf(capacity, kind)) ?? Infinity;
  };
  return (provider, kind) => {
    if (own === undefined) return Infinity;
    const others = [...capacities.keys()].filter((each) => each !== provider).map((each) => allOf(each, kind));
    const elsewhere = others.reduce((sum, amount) => sum + (amount === Infinity ? 0 : amount), 0);
    return allOf(provider, kind) - Math.max(0, kept.forOthers(own.lineage, kind) - elsewhere);
  };
}

function countOf({ cpus, gpus }: Capacity, kind: string): number {
  return kind === 'cpu' ? cpus : gpus.kind === kind ? gpus.count : 0;
}

/** Limits of the operator's account that an offer alone passes, whatever else is up. */
function tooSmallIn(accounts: readonly KnownQuotas[]): Prospects['tooSmall'] {
  const takes = takesOf(accounts);
  const byId = new Map(
    accounts.map(({ provider, quotas }) => [provider, new Map(quotas.map((quota) => [quotaId(quota), quota]))]),
  );
  return (offer) =>
    Object.entries(ofAllNodes(takes(offer), offer.nodes)).flatMap(([id, wanted]) => {
      const quota = byId.get(offer.provider)?.get(id);
      return quota === undefined || wanted <= quota.limit ? [] : [{ ...quota, wanted }];
    });
}

/** Every tenant with a policy, with nothing at work. */
function holdersOf(policies: Map<string, Policy>): Map<string, Holder> {
  const parents = parentsOf(policies);
  const holders = new Map<string, Holder>();
  for (const [id, policy] of policies) {
    const { parent, quotas } = limitsOf(id, policy, parents);
    holders.set(id, { id, parent, quotas, accelerators: {}, lineage: [] });
  }
  for (const holder of holders.values())
    holder.lineage = [holder, ...ancestorsOf(holder.id, parents).flatMap((above) => holders.get(above) ?? [])];
  return holders;
}
