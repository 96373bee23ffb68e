import { createCache } from '../core/cache.ts';
import type { MicroUsd } from '../core/money.ts';
import type { Clock } from '../core/time.ts';
import type { Database, Sql } from '../db/database.ts';
import type { Prospects } from '../jobs/admission.ts';
import type { Policy } from '../protocol/tenant.ts';
import type { Committed } from '../shares/store.ts';
import type { Lineage } from '../tenants/lineage.ts';
import { rollUpCommitted } from './budgets.ts';
import { petaflopsOf, type Capacities } from './capacity.ts';
import { ancestorsOf } from './hierarchy.ts';
import { createKept, type Holder } from './kept.ts';
import { limitsOf, parentsOf } from './limits.ts';

export type ProspectsDeps = {
  db: Database;
  now: Clock;
  capacities: () => Promise<Capacities>;
  petaflopsPerAccelerator: (kind: string) => number;
  policies: (sql: Sql) => Promise<Map<string, Policy>>;
  committed: (sql: Sql, now: Date) => Promise<Map<string, Committed>>;
};

/** Policies change seldom, and a job that slips through meanwhile waits like any other. */
const lifeMs = 1_000;

/** How much a tenant could ever have, were nobody else at work, and what of total budgets is spent for good. */
export function createProspects(deps: ProspectsDeps) {
  const { db, now, petaflopsPerAccelerator } = deps;
  const policies = createCache(() => deps.policies(db.client), lifeMs, now);
  const prospects = async (lineage: Lineage): Promise<Prospects> => {
    const [known, capacities] = await Promise.all([policies.get(''), deps.capacities()]);
    const hasTotal = lineage.some(({ policy }) => policy.budget?.totalUsd !== undefined);
    const isCounted = [...capacities.values()].every((capacity) => capacity !== undefined);
    return {
      spentTotals: hasTotal ? await readSpent(known, deps) : new Map(),
      most: mostOf(lineage[0]?.id ?? '', known, capacities),
      poolPetaflops: isCounted ? petaflopsOf(capacities, petaflopsPerAccelerator) : Infinity,
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
function mostOf(tenantId: string, policies: Map<string, Policy>, capacities: Capacities): Prospects['most'] {
  const holders = holdersOf(new Map([...policies, [tenantId, policies.get(tenantId) ?? {}]]));
  const kept = createKept([...holders.values()]);
  const own = holders.get(tenantId);
  return (provider, kind) => {
    const capacity = capacities.get(provider);
    if (capacity === undefined || own === undefined) return Infinity;
    const { cpus, gpus } = capacity;
    const all = kind === 'cpu' ? cpus : gpus.kind === kind ? gpus.count : 0;
    return all - kept.forOthers(own.lineage, kind);
  };
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
