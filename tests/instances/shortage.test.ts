import { expect, test } from 'vitest';
import { holdsFor, longestFor, remember, waitOf, type Remembered } from '../../src/instances/shortage.ts';
import type { Offer } from '../../src/protocol/quote.ts';
import type { Shortage } from '../../src/providers/provider.ts';

const minute = 60_000;
const start = new Date('2026-11-10T12:00:00Z');
const after = (minutes: number) => new Date(start.getTime() + minutes * minute);

const offer: Offer = {
  id: 'o',
  provider: 'gcp',
  region: 'us-central1',
  zone: 'us-central1-a',
  machineType: 'a2-highgpu-1g',
  accelerators: { kind: 'A100', count: 1 },
  nodes: 1,
  market: 'spot',
  hourlyUsd: 1,
  priceDate: '2026-08-03',
};

const stockout: Shortage = {
  cause: 'stockout',
  of: { region: 'us-central1', zone: 'us-central1-a', machineType: 'a2-highgpu-1g', market: 'spot' },
  message: 'There is none.',
  zonesAvailable: [],
};

const holdMinutes = ({ heldUntil, at }: Remembered) => (heldUntil.getTime() - at.getTime()) / minute;

test('shortages in a row are held ever longer, up to a quarter of an hour', () => {
  const holds: number[] = [];
  let now = start;
  let remembered: Remembered | undefined;
  for (let times = 0; times < 6; times += 1) {
    remembered = remember('gcp', stockout, remembered, now);
    holds.push(holdMinutes(remembered));
    now = remembered.heldUntil;
  }
  expect(holds).toEqual([1, 2, 4, 8, 8, 15]);
});

test('what jobs are told that asked at the same time counts once', () => {
  const first = remember('gcp', stockout, undefined, start);
  const second = remember('gcp', stockout, first, after(0.1));
  expect(second.weight).toBeCloseTo(1, 2);
  expect(second.heldUntil).toEqual(after(1.1));
});

test('a shortage of hours ago weighs little', () => {
  const old = { ...remember('gcp', stockout, undefined, start), weight: 5 };
  expect(holdMinutes(remember('gcp', stockout, old, after(5 * 60)))).toBe(1);
});

test('a shortage holds for the offers that are like it in all that it names', () => {
  const all = remember('gcp', { ...stockout, cause: 'refused', of: {} }, undefined, start);
  const quota = remember(
    'gcp',
    { ...stockout, cause: 'quota', of: { region: 'us-central1', kind: 'A100', market: 'spot' } },
    undefined,
    start,
  );
  const zone = remember('gcp', stockout, undefined, start);
  const held = (ware: Offer) => [all, quota, zone].map((each) => holdsFor(each, ware));
  expect(held(offer)).toEqual([true, true, true]);
  expect(held({ ...offer, zone: 'us-central1-b' })).toEqual([true, true, false]);
  expect(held({ ...offer, market: 'on-demand' })).toEqual([true, false, false]);
  expect(held({ ...offer, provider: 'local' })).toEqual([false, false, false]);
  expect(longestFor([zone, quota], offer)).toBe(quota);
});

test('the wait that a quote shows is until the next try, and in the worse case until the one after it', () => {
  expect(waitOf(undefined, start)).toEqual({ p50: 0, p90: 0 });
  expect(waitOf(remember('gcp', stockout, undefined, start), start)).toEqual({ p50: 60, p90: 180 });
  const { p50, p90 } = waitOf(remember('gcp', stockout, undefined, start), after(120));
  expect(p50).toBe(0);
  expect(p90).toBeGreaterThan(0);
  expect(p90).toBeLessThan(60);
});
