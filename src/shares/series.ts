import type { Sql } from '../db/database.ts';
import type { SharesBucket } from '../protocol/share.ts';
import type { Policy } from '../protocol/tenant.ts';
import { topOf, type Group, type GroupBy } from './groups.ts';
import { amountsOf, noUse, type PoolUse } from './pool-use.ts';
import { readGroupsByBucket, readSpreadByBucket, type BucketScope } from './use-store.ts';
import { buckets, type Bucket } from './window.ts';

/** How many groups a chart shows; what the total has beyond them is the others'. */
const mostGroups = 20;

type AskedSeries = {
  bucket: Bucket;
  groupBy: GroupBy | undefined;
  groups: Group[];
  viewer: string | null;
  policies: Map<string, Policy>;
};

/** The pool's use hour by hour or day by day, how it was spread, and the largest groups of the whole window in each. */
export async function readSeries(sql: Sql, pool: PoolUse, asked: AskedSeries): Promise<SharesBucket[]> {
  const { starts, lengthMs, bucket } = buckets(pool.scope, asked.bucket, '?series');
  const [spread, grouped] = await Promise.all([
    readSpreadByBucket(sql, { ...pool.scope, bucket, dimension: 'all' }),
    readGrouped(sql, pool, { ...asked, bucket }),
  ]);
  const used = new Map(spread.map((row) => [row.start.getTime(), row]));
  const parts = Map.groupBy(grouped, ({ start }) => start.getTime());
  return starts.map((start) => {
    const of = used.get(start.getTime()) ?? { ...noUse, squares: 0, largest: 0 };
    const all = of.petaflopSeconds;
    const hhi = all > 0 ? of.squares / all ** 2 : null;
    return {
      from: start.toISOString(),
      to: new Date(start.getTime() + lengthMs).toISOString(),
      ...amountsOf(of),
      hhi,
      effectiveTenants: hhi === null ? null : 1 / hhi,
      largestShare: all > 0 ? of.largest / all : null,
      groups: (parts.get(start.getTime()) ?? []).map(({ value, ...use }) => ({
        value,
        ...amountsOf(use),
        share: all > 0 ? use.petaflopSeconds / all : 0,
      })),
    };
  });
}

async function readGrouped(sql: Sql, { scope, tenants }: PoolUse, asked: AskedSeries) {
  const { groupBy, groups, viewer, policies, bucket } = asked;
  if (groupBy === undefined) return [];
  const named = groups.flatMap(({ value }) => value ?? []);
  const shown = new Set(named.slice(0, mostGroups));
  const isOfTenants = groupBy === 'tenant' || groupBy === 'parent';
  const own: BucketScope = {
    ...scope,
    tenantIds: viewer === null ? null : [viewer],
    bucket,
    dimension: isOfTenants ? 'all' : groupBy,
  };
  const members = isOfTenants
    ? tenants.map(({ id }) => [id, groupBy === 'tenant' ? id : topOf(id, policies)] as const)
    : [...shown].map((value) => [value, value] as const);
  return readGroupsByBucket(sql, own, new Map(members.filter(([, value]) => shown.has(value))));
}
