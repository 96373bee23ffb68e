import { createCache } from '../core/cache.ts';
import { dayMs, type Clock } from '../core/time.ts';
import type { Database } from '../db/database.ts';
import { buildCatalogue, builtInCatalogue, catalogueProvider, type Catalogue, type ListedPrice } from './price-list.ts';
import { findPrices, pricesReadAt, writePrices } from './price-store.ts';

/** Prices change every few weeks; a day old is new. */
const goodForMs = dayMs;

/** How soon a process quotes by what another has read. */
const catalogueMs = 60_000;

/** True where the prices are to be read again. */
export async function arePricesDue(db: Database, now: Date): Promise<boolean> {
  const readAt = await pricesReadAt(db.client, catalogueProvider);
  return readAt === undefined || now.getTime() - readAt.getTime() >= goodForMs;
}

/** The step of the queue: reads the prices and keeps them for all processes. Repeatable; when they are new it does nothing. */
export function createRefreshPrices(
  db: Database,
  now: Clock,
  readPrices: () => Promise<ListedPrice[]>,
): () => Promise<void> {
  return async () => {
    if (!(await arePricesDue(db, now()))) return;
    await writePrices(db.client, catalogueProvider, now(), await readPrices());
  };
}

/** The catalogue with the newest prices that any process has read. */
export function createCurrentCatalogue(db: Database, now: Clock): () => Promise<Catalogue> {
  let built: { readAt: number; catalogue: Catalogue } | undefined;
  const cache = createCache(
    async () => {
      const readAt = await pricesReadAt(db.client, catalogueProvider);
      if (readAt === undefined) return builtInCatalogue;
      // Building it takes longer than asking whether it would be another.
      if (built?.readAt !== readAt.getTime())
        built = {
          readAt: readAt.getTime(),
          catalogue: buildCatalogue(await findPrices(db.client, catalogueProvider)),
        };
      return built.catalogue;
    },
    catalogueMs,
    now,
  );
  return () => cache.get('');
}
