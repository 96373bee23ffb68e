import { computeUnit, wasteCauses, type Shares, type Usage, type Wasted } from '../protocol/share.ts';
import { currentPolicies, currentPoolPolicy } from '../tenants/policies.ts';
import { concentration, lorenz } from './concentration.ts';
import { readGroups, type GroupBy } from './groups.ts';
import { amountsOf, noUse, readPoolUse, scopeOf, sumOf, type SharesDeps } from './pool-use.ts';
import { readSeries } from './series.ts';
import { readBeginning, readUseByBucket, readWaste, type UseRow } from './use-store.ts';
import { buckets, monthWindow, windowMs, type Bucket, type Window } from './window.ts';

/** Who asks: a tenant sees less of the others; null is the operator. */
export type Viewer = { tenantId: string | null };

export type Detail = { groupBy?: GroupBy | undefined; series?: Bucket | undefined };

/** Each tenant's share over a window such as `30d`, with what runs now counted up to now. */
export async function readShares(
  deps: SharesDeps,
  { window, ...detail }: Detail & { window: string },
  viewer: Viewer,
): Promise<Shares> {
  return sharesIn(deps, { window: await windowOf(deps, window), ...detail }, viewer);
}

/** The shares of a calendar month such as `2026-11`. */
export async function readReport(deps: SharesDeps, month: string, viewer: Viewer): Promise<Shares> {
  return sharesIn(deps, { window: monthWindow(month, deps.now) }, viewer);
}

/** A tenant's use over a window, hour by hour or day by day. */
export async function readUsage(
  deps: SharesDeps,
  asked: { tenantId: string; window: string; bucket?: Bucket },
): Promise<Usage> {
  const window = await windowOf(deps, asked.window);
  const { starts, bucket, lengthMs } = buckets(window, asked.bucket);
  const scope = { ...(await scopeOf(deps, window)), tenantId: asked.tenantId };
  const rows = await readUseByBucket(deps.sql, { ...scope, dimension: 'all', bucket });
  const used = new Map(rows.map((row) => [row.start.getTime(), row]));
  const items = starts.map((start) => ({
    from: start.toISOString(),
    to: new Date(start.getTime() + lengthMs).toISOString(),
    ...amountsOf(used.get(start.getTime()) ?? noUse),
  }));
  return { unit: computeUnit, items };
}

async function windowOf({ sql, now }: SharesDeps, text: string): Promise<Window> {
  const lengthMs = windowMs(text);
  const from = lengthMs === undefined ? ((await readBeginning(sql)) ?? now) : new Date(now.getTime() - lengthMs);
  return { from, to: now };
}

async function sharesIn(
  deps: SharesDeps,
  { window, groupBy, series }: Detail & { window: Window },
  viewer: Viewer,
): Promise<Shares> {
  const { sql } = deps;
  const [used, policies, pool, waste] = await Promise.all([
    readPoolUse(deps, window),
    currentPolicies(sql),
    currentPoolPolicy(sql),
    readWaste(sql, { ...window, tenantId: null }),
  ]);
  const { tenants, total } = used;
  const isOwn = (id: string) => viewer.tenantId === null || viewer.tenantId === id;
  const seesAll = viewer.tenantId === null || pool.tenantsSeeOthers === true;
  const share = (petaflopSeconds: number) => (total.petaflopSeconds > 0 ? petaflopSeconds / total.petaflopSeconds : 0);
  const amounts = tenants.map(({ petaflopSeconds }) => petaflopSeconds);
  const asked = { viewer: viewer.tenantId, policies };
  const groups = groupBy === undefined ? [] : await readGroups(sql, used, { ...asked, groupBy });
  return {
    window: { from: window.from.toISOString(), to: window.to.toISOString() },
    unit: computeUnit,
    total: amountsOf(total),
    tenants: tenants
      .filter(({ id }) => seesAll || isOwn(id))
      .map((row) => ({
        tenant: isOwn(row.id) ? { id: row.id, name: row.name } : null,
        ...amountsOf(row),
        share: share(row.petaflopSeconds),
        shareCap: isOwn(row.id) ? (policies.get(row.id)?.shareCap?.share ?? null) : null,
      })),
    concentration: { ...concentration(amounts), lorenz: seesAll ? lorenz(amounts) : null },
    wasted: wastedOf(waste),
    ...(groupBy === undefined
      ? {}
      : {
          groups: groups.map(({ value, name, ...use }) => {
            return { value, name, ...amountsOf(use), share: share(use.petaflopSeconds) };
          }),
        }),
    ...(series === undefined
      ? {}
      : { series: await readSeries(sql, used, { ...asked, bucket: series, groupBy, groups }) }),
  };
}

/** By cause. */
function wastedOf(rows: readonly UseRow[]): Wasted {
  const of = (cause: string) => amountsOf(sumOf(rows.filter(({ value }) => value === cause)));
  return Object.fromEntries(wasteCauses.map((cause) => [cause, of(cause)])) as Wasted;
}
