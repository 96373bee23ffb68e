import { toUsd } from '../core/money.ts';
import { dayMs } from '../core/time.ts';
import type { Sql } from '../db/database.ts';
import { computeUnit, type Shares, type Usage } from '../protocol/share.ts';
import { currentPolicies, currentPoolPolicy } from '../tenants/policies.ts';
import { concentration } from './concentration.ts';
import {
  readBeginning,
  readRunningKinds,
  readUseByBucket,
  readUseByTenant,
  type Rates,
  type TenantUse,
  type Use,
} from './usage-store.ts';
import { buckets, monthWindow, windowMs, type Bucket, type Window } from './window.ts';

export type SharesDeps = { sql: Sql; now: Date; petaflopsPerAccelerator: (kind: string) => number };

/** Who asks: a tenant sees less of the others; null is the operator. */
export type Viewer = { tenantId: string | null };

/** Each tenant's share over a window such as `30d`, with what runs now counted up to now. */
export async function readShares(deps: SharesDeps, windowText: string, viewer: Viewer): Promise<Shares> {
  return sharesIn(deps, await windowOf(deps, windowText), viewer);
}

/** The shares of a calendar month such as `2026-11`. */
export async function readReport(deps: SharesDeps, month: string, viewer: Viewer): Promise<Shares> {
  return sharesIn(deps, monthWindow(month, deps.now), viewer);
}

/** A tenant's use over a window, hour by hour or day by day. */
export async function readUsage(
  deps: SharesDeps,
  asked: { tenantId: string; window: string; bucket?: Bucket },
): Promise<Usage> {
  const window = await windowOf(deps, asked.window);
  const { starts, lengthMs } = buckets(window, asked.bucket);
  const scope = { ...window, now: deps.now, rates: await readRates(deps), tenantId: asked.tenantId };
  const from = starts[0] ?? window.from;
  const rows = await readUseByBucket(deps.sql, { ...scope, from }, starts, lengthMs);
  const items = rows.map((row) => ({
    from: row.from.toISOString(),
    to: new Date(row.from.getTime() + lengthMs).toISOString(),
    ...amountsOf(row),
  }));
  return { unit: computeUnit, items };
}

async function windowOf({ sql, now }: SharesDeps, text: string): Promise<Window> {
  const lengthMs = windowMs(text);
  const from = lengthMs === undefined ? ((await readBeginning(sql)) ?? now) : new Date(now.getTime() - lengthMs);
  return { from, to: now };
}

async function sharesIn(deps: SharesDeps, window: Window, viewer: Viewer): Promise<Shares> {
  const { sql, now } = deps;
  const [policies, pool] = [await currentPolicies(sql), await currentPoolPolicy(sql)];
  const rows = await readUseByTenant(sql, { ...window, now, rates: await readRates(deps), tenantId: null });
  const total = rows.reduce<Use>(add, { acceleratorSeconds: 0, petaflopSeconds: 0, microUsd: 0 });
  const isOwn = ({ id }: TenantUse) => viewer.tenantId === null || viewer.tenantId === id;
  const tenants = rows
    .filter((row) => isOwn(row) || pool.tenantsSeeOthers === true)
    .map((row) => ({
      tenant: isOwn(row) ? { id: row.id, name: row.name } : null,
      ...amountsOf(row),
      share: total.petaflopSeconds > 0 ? row.petaflopSeconds / total.petaflopSeconds : 0,
      shareCap: isOwn(row) ? (policies.get(row.id)?.shareCap?.share ?? null) : null,
    }));
  return {
    window: { from: window.from.toISOString(), to: window.to.toISOString() },
    unit: computeUnit,
    total: amountsOf(total),
    tenants,
    concentration: concentration(rows.map(({ petaflopSeconds }) => petaflopSeconds)),
  };
}

async function readRates({ sql, petaflopsPerAccelerator }: SharesDeps): Promise<Rates> {
  const kinds = await readRunningKinds(sql);
  return Object.fromEntries(kinds.map((kind) => [kind, petaflopsPerAccelerator(kind)]));
}

function add(left: Use, right: Use): Use {
  return {
    acceleratorSeconds: left.acceleratorSeconds + right.acceleratorSeconds,
    petaflopSeconds: left.petaflopSeconds + right.petaflopSeconds,
    microUsd: left.microUsd + right.microUsd,
  };
}

function amountsOf({ acceleratorSeconds, petaflopSeconds, microUsd }: Use) {
  return {
    compute: (petaflopSeconds * 1000) / dayMs,
    acceleratorHours: acceleratorSeconds / 3600,
    costUsd: toUsd(microUsd),
  };
}
