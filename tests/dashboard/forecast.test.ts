import { expect, test } from 'vitest';
import { burnOf, reachedAt } from '../../src/dashboard/pages/tenant/forecast.ts';

const dayMs = 86_400_000;
const now = Date.parse('2026-11-20T01:00:00Z');

/** So many dollars on the days so far back; nothing on the others of five weeks. */
function days(spent: Record<number, number>) {
  return Array.from({ length: 36 }, (_, at) => {
    const back = 35 - at;
    const from = Date.parse('2026-11-20T00:00:00Z') - back * dayMs;
    return { from: new Date(from).toISOString(), to: new Date(from + dayMs).toISOString(), costUsd: spent[back] ?? 0 };
  });
}

test('the pace is that of the last week, of which idle days are a part', () => {
  const burn = burnOf(days({ 15: 70, 8: 70, 0: 10 }), 150, now);
  expect(burn.monthEndUsd).toBeGreaterThan(150);
  expect(burn.monthEndUsd).toBeLessThan(170);
  expect(reachedAt(burn, 500, now)).toBeUndefined();
});

test('days before the first use are no part of the pace', () => {
  const burn = burnOf(days({ 1: 48, 0: 2 }), 50, now);
  expect(burn.monthEndUsd).toBeCloseTo(50 + 2 * (11 * 24 - 1), 6);
  expect(reachedAt(burn, 98, now)).toEqual(new Date(now + dayMs));
});

test('the month ends from what the ledger says is spent, corrections too', () => {
  const { spent, forecast, xs } = burnOf(days({ 19: 30, 0: 10 }), 25, now);
  expect([spent[0], spent[1], spent.at(-3), spent.at(-2), spent.at(-1)]).toEqual([0, 30, 30, 25, null]);
  expect(forecast.at(-2)).toBe(25);
  expect([xs.at(-2), xs.at(-1)]).toEqual([now, Date.parse('2026-12-01T00:00:00Z')]);
});
