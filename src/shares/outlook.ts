import { createCache } from '../core/cache.ts';
import { dayMs, type Clock } from '../core/time.ts';
import type { Database } from '../db/database.ts';
import type { Policy } from '../protocol/tenant.ts';
import { scopeOf, type SharesDeps } from './pool-use.ts';
import { readUse } from './use-store.ts';
import { windowMs } from './window.ts';

export type OutlookDeps = Pick<SharesDeps, 'petaflopsPerAccelerator'> & {
  db: Database;
  now: Clock;
  policy: (tenantId: string) => Promise<Policy>;
};

/** How long a reading of the pool's use is good for showing what a job would change. */
const readingMs = 10_000;
const defaultWindow = '30d';

/** A tenant's share of the pool's compute now, with what runs counted up to now, and after so many PFLOP/s-days more. */
export function createOutlook({ db, now, policy, petaflopsPerAccelerator }: OutlookDeps) {
  const read = async (window: string) => {
    const to = now();
    const from = new Date(to.getTime() - (windowMs(window) ?? 30 * dayMs));
    const scope = await scopeOf({ sql: db.client, now: to, petaflopsPerAccelerator }, { from, to });
    const rows = await readUse(db.client, scope, 'all');
    return new Map(rows.map(({ tenantId, petaflopSeconds }) => [tenantId, petaflopSeconds]));
  };
  const readings = createCache(read, readingMs, now);

  return async (tenantId: string) => {
    const { shareCap } = await policy(tenantId);
    const window = shareCap?.window ?? defaultWindow;
    const use = await readings.get(window);
    const own = (use.get(tenantId) ?? 0) / petaflopSecondsPerDay;
    const pool = [...use.values()].reduce((sum, amount) => sum + amount, 0) / petaflopSecondsPerDay;
    const share = (more: number) => (pool + more === 0 ? 0 : (own + more) / (pool + more));
    return { window, before: share(0), after: share, cap: shareCap?.share ?? null };
  };
}

const petaflopSecondsPerDay = dayMs / 1000;
