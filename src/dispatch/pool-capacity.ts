import type { Clock } from '../core/time.ts';
import type { Database } from '../db/database.ts';
import { countInstances } from '../instances/list-store.ts';
import type { Remembered } from '../instances/shortage.ts';
import { quotaId, takesOf, type KnownQuotas } from '../instances/account-quota.ts';
import { listAccountQuotas } from '../instances/account-quota-store.ts';
import { listShortages } from '../instances/shortage-store.ts';
import type { PoolCapacity } from '../protocol/instance.ts';
import type { Capacity } from '../providers/provider.ts';
import { heldOf } from './account-quotas.ts';
import type { Capacities } from './capacity.ts';
import { poolOf } from './read-snapshot.ts';
import { readHeld, type HeldRow } from './store.ts';

export type PoolCapacityDeps = {
  db: Database;
  now: Clock;
  /** Of each provider that is connected. */
  capacities: () => Promise<Capacities>;
};

/** What there is of each provider, what of it is held, and what could not be had lately. */
export function createPoolCapacity({ db, now, capacities }: PoolCapacityDeps) {
  return async (): Promise<PoolCapacity> => {
    const [known, held, shortages, instances, accounts] = await Promise.all([
      capacities(),
      readHeld(db.client),
      listShortages(db.client, now()),
      countInstances(db.client),
      listAccountQuotas(db.client, now()),
    ]);
    return {
      providers: [...known].map(([provider, capacity]) => ({
        provider,
        whole: capacity === undefined ? null : resourcesOf(capacity),
        free: capacity === undefined ? null : freeOf(provider, capacity, held),
        held: heldByKind(held.filter(({ offer }) => offer.provider === provider)),
        instances: instances.get(provider) ?? 0,
      })),
      quotas: quotaViews(accounts, held),
      unknownQuotas: accounts.flatMap(({ provider, unknown }) =>
        unknown.map(({ of: { region = null, kind = null, market = null }, message }) => {
          return { provider, region, kind, market, message };
        }),
      ),
      shortages: shortages.toSorted((a, b) => b.at.getTime() - a.at.getTime()).map(shortageView),
    };
  };
}

function quotaViews(accounts: KnownQuotas[], held: HeldRow[]): PoolCapacity['quotas'] {
  const takes = takesOf(accounts);
  return accounts.flatMap(({ provider, readAt, quotas }) => {
    const own = heldOf(provider, held, takes);
    return quotas.map((quota) => ({
      provider,
      metric: quota.metric,
      region: quota.region ?? null,
      kind: quota.kind ?? null,
      markets: [...new Set(quota.takes.map(({ market }) => market))].toSorted(),
      unit: quota.unit,
      limit: quota.limit,
      used: quota.others + (own.get(quotaId(quota)) ?? 0),
      usedByOthers: quota.others,
      readAt: readAt.toISOString(),
      raiseAt: quota.raiseAt,
    }));
  });
}

function shortageView({ provider, of, cause, message, at, heldUntil }: Remembered): PoolCapacity['shortages'][number] {
  const { region = null, zone = null, machineType = null, kind = null, market = null } = of;
  const ware = { provider, region, zone, machineType, kind, market };
  return { ...ware, cause, message, at: at.toISOString(), askedAgainAt: heldUntil.toISOString() };
}

type Resources = NonNullable<PoolCapacity['providers'][number]['whole']>;

function resourcesOf({ cpus, memoryBytes, diskBytes, gpus }: Capacity): Resources {
  return { cpus, memoryBytes, diskBytes, accelerators: gpus };
}

/** A machine may have been given more than it has now, as where an operator has lowered what jobs may use. */
function freeOf(provider: string, capacity: Capacity, held: HeldRow[]): Resources {
  const { cpus, memoryBytes, diskBytes, gpus } = poolOf(provider, capacity, held);
  return {
    cpus: Math.max(0, cpus),
    memoryBytes: Math.max(0, memoryBytes),
    diskBytes: Math.max(0, diskBytes),
    accelerators: { kind: gpus.kind, count: gpus.free.length },
  };
}

function heldByKind(held: HeldRow[]): { kind: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const { offer } of held) {
    const { kind, count } = offer.accelerators;
    counts.set(kind, (counts.get(kind) ?? 0) + count * offer.nodes);
  }
  return [...counts].map(([kind, count]) => ({ kind, count }));
}
