import { toUsd } from '../core/money.ts';
import { dayMs } from '../core/time.ts';
import type { Sql } from '../db/database.ts';
import { readRunningKinds, readTenants, readUse, type Scope, type Use } from './use-store.ts';
import type { Window } from './window.ts';

export type SharesDeps = { sql: Sql; now: Date; petaflopsPerAccelerator: (kind: string) => number };

export type TenantUse = Use & { id: string; name: string };

/** What was used in a window: by each tenant there is, who used most first, and together. */
export type PoolUse = { scope: Scope; tenants: TenantUse[]; total: Use };

export const noUse: Use = { acceleratorSeconds: 0, petaflopSeconds: 0, microUsd: 0 };

export async function readPoolUse(deps: SharesDeps, window: Window): Promise<PoolUse> {
  const { sql } = deps;
  const scope = await scopeOf(deps, window);
  const [rows, tenants] = await Promise.all([readUse(sql, scope, 'all'), readTenants(sql)]);
  const used = new Map(rows.map((row) => [row.tenantId, row]));
  const sorted = tenants
    .map(({ id, name }) => ({ ...amountsIn(used.get(id) ?? noUse), id, name }))
    .toSorted((a, b) => b.petaflopSeconds - a.petaflopSeconds || (a.id < b.id ? -1 : 1));
  return { scope, tenants: sorted, total: sumOf(sorted) };
}

/** Everyone's use in a window, with what runs counted up to now. */
export async function scopeOf({ sql, now, petaflopsPerAccelerator }: SharesDeps, window: Window): Promise<Scope> {
  const kinds = await readRunningKinds(sql);
  const rates = Object.fromEntries(kinds.map((kind) => [kind, petaflopsPerAccelerator(kind)]));
  return { ...window, tenantIds: null, live: { now, rates } };
}

export function sumOf(uses: Iterable<Use>): Use {
  let sum = noUse;
  for (const use of uses)
    sum = {
      acceleratorSeconds: sum.acceleratorSeconds + use.acceleratorSeconds,
      petaflopSeconds: sum.petaflopSeconds + use.petaflopSeconds,
      microUsd: sum.microUsd + use.microUsd,
    };
  return sum;
}

/** In the units of the wire. */
export function amountsOf({ acceleratorSeconds, petaflopSeconds, microUsd }: Use) {
  return {
    compute: (petaflopSeconds * 1000) / dayMs,
    acceleratorHours: acceleratorSeconds / 3600,
    costUsd: toUsd(microUsd),
  };
}

function amountsIn({ acceleratorSeconds, petaflopSeconds, microUsd }: Use): Use {
  return { acceleratorSeconds, petaflopSeconds, microUsd };
}
