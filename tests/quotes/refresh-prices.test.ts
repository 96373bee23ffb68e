import { expect } from 'vitest';
import { pricesOf } from '../../src/quotes/billing-skus.ts';
import { arePricesDue, createCurrentCatalogue, createRefreshPrices } from '../../src/quotes/refresh-prices.ts';
import { test } from '../support/database.ts';
import { usualSkus } from './billing-server.ts';

const hour = 3_600_000;

test('prices are read once a day, and all processes quote by them', async ({ db }) => {
  let at = Date.parse('2026-11-25T12:00:00Z');
  const now = () => new Date(at);
  let reads = 0;
  const refresh = createRefreshPrices(db, now, async () => {
    reads += 1;
    return pricesOf(usualSkus);
  });
  const [one, other] = [createCurrentCatalogue(db, now), createCurrentCatalogue(db, now)];
  expect((await one()).date).toBe('2026-08-03');
  expect(await arePricesDue(db, now())).toBe(true);

  await refresh();
  await refresh();
  expect(reads).toBe(1);
  expect((await other()).date).toBe('2026-11-25');
  expect((await one()).date).toBe('2026-08-03');
  at += hour;
  expect((await one()).date).toBe('2026-11-25');
  expect(await one()).toBe(await one());

  at += 24 * hour;
  expect(await arePricesDue(db, now())).toBe(true);
  await refresh();
  expect(reads).toBe(2);
});

test('where the prices can’t be read, those before stay', async ({ db }) => {
  const now = () => new Date('2026-11-25T12:00:00Z');
  await createRefreshPrices(db, now, async () => pricesOf(usualSkus))();
  const later = () => new Date('2026-11-27T12:00:00Z');
  const failing = createRefreshPrices(db, later, () => Promise.reject(new Error('away')));
  await expect(failing()).rejects.toThrow('away');
  expect((await createCurrentCatalogue(db, later)()).date).toBe('2026-11-25');
});
