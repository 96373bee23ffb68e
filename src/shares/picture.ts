import type { Shares } from '../protocol/share.ts';
import { computeUnit, wasteCauses, type Wasted } from '../protocol/share.ts';
import type { Policy, PoolPolicy } from '../protocol/tenant.ts';
import { currentPolicies, currentPoolPolicy } from '../tenants/policies.ts';
import { concentration, lorenz } from './concentration.ts';
import { amountsOf, readPoolUse, sumOf, type PoolUse, type SharesDeps, type TenantUse } from './pool-use.ts';
import { readWaste, type UseRow } from './use-store.ts';
import type { Window } from './window.ts';

/** Who asks: a tenant sees less of the others; null is the operator. */
export type Viewer = { tenantId: string | null };

/** Everything about a window, before it is known who looks. */
export type Picture = {
  window: Window;
  used: PoolUse;
  policies: Map<string, Policy>;
  pool: PoolPolicy;
  waste: UseRow[];
};

export async function readPicture(deps: SharesDeps, window: Window): Promise<Picture> {
  const [used, policies, pool, waste] = await Promise.all([
    readPoolUse(deps, window),
    currentPolicies(deps.sql),
    currentPoolPolicy(deps.sql),
    readWaste(deps.sql, { ...window, tenantIds: null }),
  ]);
  return { window, used, policies, pool, waste };
}

export function seesAll({ pool }: Picture, { tenantId }: Viewer): boolean {
  return tenantId === null || pool.tenantsSeeOthers === true;
}

/** The tenants whose rows the viewer may see: its own, and those of others, without names, where the pool's policy says so. */
export function seenTenants(picture: Picture, viewer: Viewer): TenantUse[] {
  const { tenants } = picture.used;
  return seesAll(picture, viewer) ? tenants : tenants.filter(({ id }) => id === viewer.tenantId);
}

export function shareOf({ used }: Picture, petaflopSeconds: number): number {
  return used.total.petaflopSeconds > 0 ? petaflopSeconds / used.total.petaflopSeconds : 0;
}

/** As the viewer may see it. */
export function sharesOf(picture: Picture, viewer: Viewer): Omit<Shares, 'groups' | 'series'> {
  const { window, used, waste } = picture;
  const amounts = used.tenants.map(({ petaflopSeconds }) => petaflopSeconds);
  return {
    window: { from: window.from.toISOString(), to: window.to.toISOString() },
    unit: computeUnit,
    total: amountsOf(used.total),
    tenants: seenTenants(picture, viewer).map((tenant) => rowOf(picture, tenant, viewer)),
    concentration: { ...concentration(amounts), lorenz: seesAll(picture, viewer) ? lorenz(amounts) : null },
    wasted: wastedOf(waste),
  };
}

export function rowOf(picture: Picture, row: TenantUse, { tenantId }: Viewer): Shares['tenants'][number] {
  const { id, name } = row;
  const isNamed = tenantId === null || tenantId === id;
  return {
    tenant: isNamed ? { id, name } : null,
    ...amountsOf(row),
    share: shareOf(picture, row.petaflopSeconds),
    shareCap: isNamed ? (picture.policies.get(id)?.shareCap?.share ?? null) : null,
  };
}

/** By cause. */
function wastedOf(rows: readonly UseRow[]): Wasted {
  const of = (cause: string) => amountsOf(sumOf(rows.filter(({ value }) => value === cause)));
  return Object.fromEntries(wasteCauses.map((cause) => [cause, of(cause)])) as Wasted;
}
