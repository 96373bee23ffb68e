import { dayMs } from '../core/time.ts';
import type { Sql } from '../db/database.ts';
import { budgetLeft } from '../shares/budget.ts';
import type { Committed } from '../shares/store.ts';
import { windowMs } from '../shares/window.ts';
import type { Policy, PoolPolicy } from '../protocol/tenant.ts';
import type { ShareCap, TenantUse } from './snapshot.ts';

export type TenantUseDeps = {
  policies: (tx: Sql) => Promise<Map<string, Policy>>;
  poolPolicy: (tx: Sql) => Promise<PoolPolicy>;
  /** Holds the accounts of these tenants until the transaction ends. */
  lockTenants: (tx: Sql, tenantIds: string[]) => Promise<unknown>;
  committed: (tx: Sql, now: Date) => Promise<Map<string, Committed>>;
  /** Petaflop-seconds by tenant, each entry halved for every half-life of its age. */
  decayedUse: (tx: Sql, halfLifeMs: number, now: Date) => Promise<Map<string, number>>;
  /** Petaflop-seconds by tenant since then. */
  useSince: (tx: Sql, from: Date) => Promise<Map<string, number>>;
};

export type SettledUse = Omit<TenantUse, 'running' | 'accelerators' | 'petaflops'>;

const defaultHalfLifeMs = 7 * dayMs;
/** A share is measured against at least this part of what the pool could have given, so that the first job is not a monopoly. */
const floorPart = 0.1;

/** What each tenant may do, and what it has used and spent, as far as it is settled. */
export function createTenantUses(deps: TenantUseDeps) {
  return async (tx: Sql, tenantIds: string[], now: Date, poolPetaflops: number): Promise<SettledUse[]> => {
    if (tenantIds.length === 0) return [];
    const policies = await deps.policies(tx);
    const { halfLife } = await deps.poolPolicy(tx);
    // What is decided by a budget holds only if nobody spends of it meanwhile.
    await deps.lockTenants(
      tx,
      tenantIds.filter((id) => policies.get(id)?.budget !== undefined),
    );
    const committed = await deps.committed(tx, now);
    const decayed = await deps.decayedUse(tx, (halfLife && windowMs(halfLife)) || defaultHalfLifeMs, now);
    const own = new Map(tenantIds.map((id) => [id, policies.get(id) ?? {}]));
    const shareCaps = await readShareCaps(tx, own, { ...deps, now, poolPetaflops });
    return tenantIds.map((id) => {
      const policy = policies.get(id) ?? {};
      return {
        id,
        weight: policy.weight ?? 1,
        decayedUse: decayed.get(id) ?? 0,
        caps: {
          runningJobs: policy.caps?.runningJobs ?? Infinity,
          accelerators: policy.caps?.accelerators ?? {},
          petaflops: policy.caps?.computePflops ?? Infinity,
        },
        budgetLeft: budgetLeft(policy, committed.get(id)),
        shareCap: shareCaps.get(id),
      };
    });
  };
}

type ShareCapDeps = Pick<TenantUseDeps, 'useSince'> & {
  now: Date;
  /** What all pools that can be counted could give at once. */
  poolPetaflops: number;
};

async function readShareCaps(
  tx: Sql,
  policies: Map<string, Policy>,
  { useSince, now, poolPetaflops }: ShareCapDeps,
): Promise<Map<string, ShareCap>> {
  const caps = new Map<string, ShareCap>();
  const uses = new Map<string, Map<string, number>>();
  for (const [id, { shareCap }] of policies) {
    if (shareCap === undefined) continue;
    const window = shareCap.window ?? '30d';
    const lengthMs = windowMs(window) ?? 30 * dayMs;
    const use = uses.get(window) ?? (await useSince(tx, new Date(now.getTime() - lengthMs)));
    uses.set(window, use);
    caps.set(id, {
      share: shareCap.share,
      mode: shareCap.mode ?? 'soft',
      ownPetaflopSeconds: use.get(id) ?? 0,
      poolPetaflopSeconds: [...use.values()].reduce((sum, amount) => sum + amount, 0),
      floorPetaflopSeconds: (floorPart * poolPetaflops * lengthMs) / 1000,
    });
  }
  return caps;
}
