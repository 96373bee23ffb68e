import type { Sql } from '../db/database.ts';
import type { ShareCap } from './snapshot.ts';

/** What these tenants have used, by the hour, and when that hour will have left a window of this length. */
export async function readLeaving(
  sql: Sql,
  tenantIds: string[],
  lengthMs: number,
  now: Date,
): Promise<NonNullable<ShareCap['leaving']>> {
  const since = new Date(now.getTime() - lengthMs);
  return sql.$queryRaw`
    SELECT (extract(epoch FROM date_trunc('hour', "from") + interval '1 hour') * 1000 + ${lengthMs}::float8)::float8 AS at,
      sum(petaflop_seconds)::float8 AS "petaflopSeconds"
    FROM usage_entry WHERE tenant_id = ANY(${tenantIds}) AND "to" > ${since} GROUP BY 1 ORDER BY 1`;
}
