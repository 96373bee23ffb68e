import type { Clock } from '../core/time.ts';
import type { Database } from '../db/database.ts';
import type { Availability, CurrentOffer, Offer } from '../protocol/quote.ts';
import type { Capacity } from '../providers/provider.ts';
import { poolOf } from './read-snapshot.ts';
import { ofAllNodes, quotasOf } from './account-quotas.ts';
import type { Pool, PoolQuota } from './snapshot.ts';
import { takesOf, type Takes } from '../instances/account-quota.ts';
import { listAccountQuotas } from '../instances/account-quota-store.ts';
import { longestFor, type Remembered } from '../instances/shortage.ts';
import { listShortages } from '../instances/shortage-store.ts';
import { readHeld } from './store.ts';

export type AvailabilityDeps = {
  db: Database;
  now: Clock;
  offers: () => Promise<Offer[]>;
  /** By provider; undefined for one that answers `no-capacity` instead. */
  capacities: () => Promise<Map<string, Capacity | undefined>>;
};

/** What can be bought now: of pools that run out what nobody holds, of the others when they last had nothing. */
export function createCurrentOffers({ db, now, offers, capacities }: AvailabilityDeps) {
  return async (): Promise<CurrentOffer[]> => {
    const at = now();
    const [listed, pools, held, shortages, accounts] = await Promise.all([
      offers(),
      capacities(),
      readHeld(db.client),
      listShortages(db.client, at),
      listAccountQuotas(db.client, at),
    ]);
    const takes = takesOf(accounts);
    const quotas = new Map(accounts.map((account) => [account.provider, quotasOf(account, held, takes).quotas]));
    return listed.map((offer) => {
      const capacity = pools.get(offer.provider);
      const free = capacity === undefined ? null : freeFor(offer, poolOf(offer.provider, capacity, held));
      const remembered = longestFor(shortages, offer);
      const lastShortageAt = remembered?.at.toISOString() ?? null;
      const shortage = remembered === undefined ? null : toldOf(remembered);
      const quota = tightest(quotas.get(offer.provider) ?? [], ofAllNodes(takes(offer), offer.nodes));
      return { ...offer, availability: { seenAt: at.toISOString(), free, quota, lastShortageAt, shortage } };
    });
  };
}

/** Of the limits that an offer counts against the one that lets the fewest more of it be made. */
function tightest(quotas: PoolQuota[], takes: Takes): Availability['quota'] {
  const roomFor = ({ id, free }: PoolQuota) => free / (takes[id] ?? Infinity);
  const [least] = quotas.filter(({ id }) => takes[id] !== undefined).toSorted((a, b) => roomFor(a) - roomFor(b));
  if (least === undefined) return null;
  const { metric, region = null, unit, limit, free, raiseAt } = least;
  return { metric, region, unit, limit, used: limit - free, free: Math.max(0, free), raiseAt };
}

function toldOf({ cause, message, heldUntil }: Remembered): NonNullable<Availability['shortage']> {
  return { cause, message, askedAgainAt: heldUntil.toISOString() };
}

/** A machine may have been given more than it has now, as where an operator has lowered what jobs may use. */
function freeFor(
  { accelerators: { kind } }: Offer,
  { cpus, memoryBytes, diskBytes, gpus }: Pool,
): Availability['free'] {
  const left = (amount: number) => Math.max(0, amount);
  return {
    cpus: left(cpus),
    memoryBytes: left(memoryBytes),
    diskBytes: left(diskBytes),
    accelerators: kind === 'cpu' ? left(cpus) : gpus.kind === kind ? gpus.free.length : 0,
  };
}
