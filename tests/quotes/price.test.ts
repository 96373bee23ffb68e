import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { hardlyFinishesOnSpot, paidSeconds, priced, type Terms } from '../../src/quotes/price.ts';

const terms: Terms = {
  market: 'on-demand',
  nodes: 1,
  microUsdPerHour: 3_600_000,
  startSeconds: { p50: 100, p90: 300 },
  diskGiB: 0,
  egressBytes: 0,
  checkpointEverySeconds: null,
};

test('time is paid from the machine’s start, to the micro-dollar', () => {
  const { costUsd, breakdown, durationSeconds } = priced({ p10: 500, p50: 1000, p90: 2000 }, terms);
  expect(costUsd).toEqual({ p10: 0.6, p50: 1.1, p90: 2.1 });
  expect(breakdown).toEqual({ computeUsd: 1, provisioningUsd: 0.1, preemptionUsd: 0, storageUsd: 0, egressUsd: 0 });
  expect(durationSeconds).toEqual({ p10: 500, p50: 1000, p90: 2000 });
});

test('the parts of the price sum to its middle', () => {
  const { costUsd, breakdown } = priced(
    { p10: 500, p50: 50_000, p90: 90_000 },
    { ...terms, market: 'spot', diskGiB: 200, egressBytes: 2e10, checkpointEverySeconds: 600 },
  );
  const sum = Object.values(breakdown).reduce((total, part) => total + part, 0);
  expect(sum).toBeCloseTo(costUsd.p50, 6);
  expect(Math.min(...Object.values(breakdown))).toBeGreaterThan(0);
});

describe('spot', () => {
  const spot = { ...terms, market: 'spot' } as const;

  test('with checkpoints costs a few per cent more time, without them ever more', () => {
    const day = 86_400;
    expect(paidSeconds(day, { ...spot, checkpointEverySeconds: undefined }) / day).toBeCloseTo(1.084, 2);
    expect(paidSeconds(600, spot) / 600).toBeLessThan(1.05);
    expect(paidSeconds(day, spot) / day).toBeGreaterThan(10);
    expect(hardlyFinishesOnSpot(day, spot)).toBe(true);
    expect(hardlyFinishesOnSpot(day, { ...spot, checkpointEverySeconds: 600 })).toBe(false);
  });

  test('work begun anew after each preemption takes what a simulated one takes', () => {
    let seed = 7;
    const uniform = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
    const meanUp = 6 * 3600;
    const useful = 3 * 3600;
    let total = 0;
    const trials = 20_000;
    for (let trial = 0; trial < trials; trial++) {
      for (;;) {
        const up = -meanUp * Math.log(uniform());
        total += Math.min(up, useful);
        if (up >= useful) break;
        total += spot.startSeconds.p50;
      }
    }
    expect(total / trials / paidSeconds(useful, spot)).toBeCloseTo(1, 1);
  });
});

test('longer work and a dearer machine never cost less', () => {
  const seconds = fc.double({ min: 1, max: 1e7, noNaN: true });
  const any = fc.record({
    market: fc.constantFrom('spot' as const, 'on-demand' as const),
    nodes: fc.integer({ min: 1, max: 64 }),
    microUsdPerHour: fc.integer({ min: 0, max: 1e9 }),
    checkpointEverySeconds: fc.constantFrom(null, undefined, 60, 3600),
  });
  fc.assert(
    fc.property(seconds, seconds, any, fc.integer({ min: 0, max: 1e6 }), (one, other, given, more) => {
      const [short, long] = one < other ? [one, other] : [other, one];
      const cheap = priced({ p10: short, p50: short, p90: long }, { ...terms, ...given });
      const dear = priced(
        { p10: short, p50: short, p90: long },
        { ...terms, ...given, microUsdPerHour: given.microUsdPerHour + more },
      );
      expect(cheap.costUsd.p10).toBeGreaterThanOrEqual(0);
      expect(cheap.costUsd.p50).toBeLessThanOrEqual(cheap.costUsd.p90);
      expect(cheap.costUsd.p50).toBeLessThanOrEqual(dear.costUsd.p50);
      expect(cheap.durationSeconds.p50).toBeLessThanOrEqual(cheap.durationSeconds.p90);
    }),
  );
});
