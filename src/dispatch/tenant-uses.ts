import { hourMs } from '../core/time.ts';
import type { Sql } from '../db/database.ts';
import { budgetLeft, isMonthTighter } from '../shares/budget.ts';
import { readUseByHour } from '../shares/use-store.ts';
import type { Policy, PoolPolicy } from '../protocol/tenant.ts';
import { lockBudgets, rollUpCommitted, type BudgetDeps } from './budgets.ts';
import { ancestorsOf, rollUp, type Parents } from './hierarchy.ts';
import {
  bindingOf,
  concentrationWindowMs,
  floorOf,
  halfLifeMsOf,
  keepingOf,
  limitsOf,
  parentsOf,
  preemptionOf,
  windowMsOf,
} from './limits.ts';
import type { ShareCap, TenantUse } from './snapshot.ts';

export type TenantUseDeps = BudgetDeps & {
  poolPolicy: (tx: Sql) => Promise<PoolPolicy>;
  /** Petaflop-seconds by tenant, each entry halved for every half-life of its age. */
  decayedUse: (tx: Sql, halfLifeMs: number, now: Date) => Promise<Map<string, number>>;
  /** Petaflop-seconds by tenant since then. */
  useSince: (tx: Sql, from: Date) => Promise<Map<string, number>>;
};

/** What a tenant may do, and what it and those below it have used and spent, as far as it is settled. */
export type SettledUse = Omit<TenantUse, 'running' | 'accelerators' | 'petaflops'>;

/** The pool's use in the window of the ceilings on concentration, by tenant; undefined where there is no ceiling. */
export type WindowUse = {
  hhiCeiling: number;
  largestShareCeiling: number;
  useByTenant: Map<string, number>;
  floorPetaflopSeconds: number;
};

export type TenantUses = {
  tenants: SettledUse[];
  concentration: WindowUse | undefined;
  /** Of each tenant that waits, where it may run and how high its priority may be: those above it bind it too. */
  bindings: Map<string, Policy>;
  minRuntimeMs: number;
  preemptsLowerPriority: boolean;
};

/** Who asks: the tenants with jobs that wait or run, and what all pools that can be counted could give at once. */
export type Asked = { waiting: string[]; running: string[]; now: Date; poolPetaflops: number };

export type ReadTenantUses = (tx: Sql, asked: Asked) => Promise<TenantUses>;

export function createTenantUses(deps: TenantUseDeps): ReadTenantUses {
  return async (tx, { waiting, running, now, poolPetaflops }) => {
    const policies = await deps.policies(tx);
    const pool = await deps.poolPolicy(tx);
    const parents = parentsOf(policies);
    const withAbove = (ids: string[]) => [...new Set(ids.flatMap((id) => [id, ...ancestorsOf(id, parents)]))];
    const ids = withAbove([...waiting, ...running, ...keepingOf(policies)]);
    await lockBudgets(tx, withAbove(waiting), policies, deps);
    const committed = rollUpCommitted(await deps.committed(tx, now), parents);
    const ownDecayed = await deps.decayedUse(tx, halfLifeMsOf(pool), now);
    const decayed = rollUp(ownDecayed, parents);
    const uses = createUses(tx, now, parents, deps);
    const concentration = await readConcentration(pool, uses, poolPetaflops);
    const tenants: SettledUse[] = [];
    for (const id of ids) {
      const policy = policies.get(id) ?? {};
      tenants.push({
        ...limitsOf(id, policy, parents),
        decayedUse: decayed.get(id) ?? 0,
        ownDecayedUse: ownDecayed.get(id) ?? 0,
        budgetLeft: budgetLeft(policy, committed.get(id)),
        isMonthTighter: isMonthTighter(policy, committed.get(id)),
        shareCap: await readShareCap(id, policy, { tx, now, uses, parents, poolPetaflops }),
        windowUse: concentration?.useByTenant.get(id) ?? 0,
      });
    }
    const bindings = new Map(waiting.map((id) => [id, bindingOf(id, policies, parents)]));
    return { tenants, concentration, bindings, ...preemptionOf(pool) };
  };
}

/** The accounted use of each window, of each tenant with those below it and of each alone, read once. */
function createUses(tx: Sql, now: Date, parents: Parents, { useSince }: TenantUseDeps): Uses {
  const known = new Map<number, Awaited<ReturnType<Uses>>>();
  return async (lengthMs) => {
    const seen = known.get(lengthMs);
    if (seen !== undefined) return seen;
    const own = await useSince(tx, new Date(now.getTime() - lengthMs));
    const use = { own, below: rollUp(own, parents), pool: [...own.values()].reduce((sum, amount) => sum + amount, 0) };
    known.set(lengthMs, use);
    return use;
  };
}

type Uses = (lengthMs: number) => Promise<{ own: Map<string, number>; below: Map<string, number>; pool: number }>;

type Around = { tx: Sql; now: Date; uses: Uses; parents: Parents; poolPetaflops: number };

/** Only whom the cap may hold back is told until when; of the others nobody asks. */
const nearPart = 0.5;

async function readShareCap(
  id: string,
  { shareCap }: Policy,
  { tx, now, uses, parents, poolPetaflops }: Around,
): Promise<ShareCap | undefined> {
  if (shareCap === undefined) return undefined;
  const lengthMs = windowMsOf(shareCap);
  const use = await uses(lengthMs);
  const own = use.below.get(id) ?? 0;
  const floor = floorOf(poolPetaflops, lengthMs);
  const isNear = own > nearPart * shareCap.share * Math.max(use.pool, floor);
  const teams = [...parents.keys()].filter((each) => ancestorsOf(each, parents).includes(id));
  return {
    share: shareCap.share,
    mode: shareCap.mode ?? 'soft',
    ownPetaflopSeconds: own,
    poolPetaflopSeconds: use.pool,
    floorPetaflopSeconds: floor,
    ...(isNear ? { leaving: await readLeaving(tx, [id, ...teams], lengthMs, now) } : {}),
  };
}

/** What these tenants have used in a window of this length, by the hour, and when that hour will have left it. */
async function readLeaving(tx: Sql, tenantIds: string[], lengthMs: number, now: Date) {
  const hours = await readUseByHour(tx, tenantIds, new Date(now.getTime() - lengthMs));
  return hours.map(({ start, petaflopSeconds }) => ({ at: start.getTime() + hourMs + lengthMs, petaflopSeconds }));
}

async function readConcentration(
  { hhiCeiling, largestShareCeiling }: PoolPolicy,
  uses: Uses,
  poolPetaflops: number,
): Promise<WindowUse | undefined> {
  if (hhiCeiling === undefined && largestShareCeiling === undefined) return undefined;
  return {
    hhiCeiling: hhiCeiling ?? Infinity,
    largestShareCeiling: largestShareCeiling ?? Infinity,
    useByTenant: (await uses(concentrationWindowMs)).own,
    floorPetaflopSeconds: floorOf(poolPetaflops, concentrationWindowMs),
  };
}
