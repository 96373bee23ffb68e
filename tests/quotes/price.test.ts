import { expect, test } from 'vitest';
import fc from 'fast-check';
import type { Percentiles } from '../../src/quotes/interval.ts';
import { costsOf, takenBy, type Terms } from '../../src/quotes/price.ts';

const terms: Terms = {
  nodes: 1,
  startSeconds: { p50: 100, p90: 300 },
  diskGiB: 0,
  keptBytes: 0,
  egressMicroUsd: 0,
  setupShare: 0,
  transferShare: 0,
  interruptions: { meanUpSeconds: Infinity, restartSeconds: 160, everySeconds: null, checkpointSeconds: 60 },
};

function priced(work: Percentiles, terms: Terms, microUsdPerHour = 3_600_000) {
  const taken = takenBy(work, terms);
  return { ...taken, ...costsOf(taken, microUsdPerHour) };
}

test('time is paid from the machine’s start, to the micro-dollar', () => {
  const { costUsd, breakdown, durationSeconds } = priced({ p10: 500, p50: 1000, p90: 2000 }, terms);
  expect(costUsd).toEqual({ p10: 0.6, p50: 1.1, p90: 2.1 });
  expect(breakdown).toMatchObject({ computeUsd: 1, provisioningUsd: 0.1, preemptionUsd: 0, storageUsd: 0 });
  expect(durationSeconds).toEqual({ p10: 500, p50: 1000, p90: 2000 });
});

test('all that costs has its part, and the parts sum to the middle', () => {
  const { costUsd, durationSeconds, breakdown, phases } = priced(
    { p10: 500, p50: 50_000, p90: 90_000 },
    {
      ...terms,
      diskGiB: 200,
      keptBytes: 1e11,
      egressMicroUsd: 2_000_000,
      setupShare: 0.01,
      transferShare: 0.02,
      interruptions: { ...terms.interruptions, meanUpSeconds: 21_600, everySeconds: 600 },
    },
  );
  const sum = (parts: object): number =>
    Object.values(parts).reduce((total: number, part: unknown) => total + Number(part), 0);
  expect(sum(breakdown)).toBeCloseTo(costUsd.p50, 6);
  expect(Math.min(...Object.values(breakdown))).toBeGreaterThan(0);
  expect(sum(phases) - phases.provisioningSeconds).toBeCloseTo(durationSeconds.p50, 1);
  expect(phases).toMatchObject({ setupSeconds: 500, transferSeconds: 1000, checkpointSeconds: 5000 });
});

test('longer work and a dearer machine never cost less', () => {
  const seconds = fc.double({ min: 1, max: 1e7, noNaN: true });
  const any = fc.record({
    nodes: fc.integer({ min: 1, max: 64 }),
    interruptions: fc.record({
      meanUpSeconds: fc.constantFrom(Infinity, 3600, 100_000),
      restartSeconds: fc.integer({ min: 0, max: 1000 }),
      everySeconds: fc.constantFrom(null, 60, 3600),
      checkpointSeconds: fc.integer({ min: 0, max: 600 }),
    }),
  });
  const price = fc.integer({ min: 0, max: 1e9 });
  fc.assert(
    fc.property(seconds, seconds, any, fc.tuple(price, price), (one, other, given, [hourly, more]) => {
      const [short, long] = one < other ? [one, other] : [other, one];
      const work = { p10: short, p50: short, p90: long };
      const cheap = priced(work, { ...terms, ...given }, hourly);
      const dear = priced(work, { ...terms, ...given }, hourly + more);
      expect(cheap.costUsd.p10).toBeGreaterThanOrEqual(0);
      expect(cheap.costUsd.p10).toBeLessThanOrEqual(cheap.costUsd.p50);
      expect(cheap.costUsd.p50).toBeLessThanOrEqual(cheap.costUsd.p90);
      expect(cheap.costUsd.p50).toBeLessThanOrEqual(dear.costUsd.p50);
      expect(cheap.durationSeconds.p50).toBeLessThanOrEqual(cheap.durationSeconds.p90);
    }),
  );
});
