import type { Clock } from '../core/time.ts';
import type { Database } from '../db/database.ts';
import type { Availability, CurrentOffer, Offer } from '../protocol/quote.ts';
import type { Capacity } from '../providers/provider.ts';
import { poolOf } from './read-snapshot.ts';
import type { Pool } from './snapshot.ts';
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
    const [listed, pools, held, shortages] = await Promise.all([
      offers(),
      capacities(),
      readHeld(db.client),
      listShortages(db.client, at),
    ]);
    return listed.map((offer) => {
      const capacity = pools.get(offer.provider);
      const free = capacity === undefined ? null : freeFor(offer, poolOf(offer.provider, capacity, held));
      const remembered = longestFor(shortages, offer);
      const lastShortageAt = remembered?.at.toISOString() ?? null;
      const shortage = remembered === undefined ? null : toldOf(remembered);
      return { ...offer, availability: { seenAt: at.toISOString(), free, lastShortageAt, shortage } };
    });
  };
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
