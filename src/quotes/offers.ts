import type { Offer } from '../protocol/quote.ts';
import { offerOf } from './offer.ts';
import type { Seller } from './sellers.ts';

/** What the configured providers sell now, each machine as one offer; of a divisible machine the whole of it. */
export function listOffers(sellers: readonly Seller[]): Offer[] {
  return sellers.flatMap(({ provider, sellables }) =>
    sellables.map((sellable) =>
      offerOf({ gigaflopsPerCore: undefined, ...sellable, ...sellable.accelerators, provider, nodes: 1 }),
    ),
  );
}
