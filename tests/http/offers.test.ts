import { expect } from 'vitest';
import { newId } from '../../src/core/ids.ts';
import { openApp, operatorKey, sampleQuote } from '../support/app.ts';
import { test } from '../support/database.ts';

test('offers are listed page by page', async ({ db }) => {
  const [option] = sampleQuote(newId('quote')).options;
  if (option === undefined) throw new Error('The sample has no option.');
  const availability = {
    seenAt: '2026-11-28T00:00:00Z',
    free: null,
    quota: null,
    lastShortageAt: null,
    shortage: null,
  };
  const sold = ['local/cpu/1', 'local/cpu/2', 'local/cpu/3'].map((id) => ({ ...option.offer, id, availability }));
  const { ask, close } = await openApp(db, { offers: async () => sold });
  const page = async (query: string) => (await ask(operatorKey, `GET /v1/offers${query}`)).json();
  const first = await page('?limit=2');
  expect(first).toEqual({ items: sold.slice(0, 2), nextCursor: expect.any(String) });
  expect(await page(`?limit=2&cursor=${first.nextCursor}`)).toEqual({ items: sold.slice(2), nextCursor: null });
  expect(await page('')).toEqual({ items: sold, nextCursor: null });
  await close();
});
