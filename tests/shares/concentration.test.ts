import fc from 'fast-check';
import { expect, test } from 'vitest';
import { concentration } from '../../src/shares/concentration.ts';

test('named cases', () => {
  expect(concentration([])).toEqual({ hhi: null, effectiveTenants: null, gini: null, largestShare: null });
  expect(concentration([0, 0])).toEqual({ hhi: null, effectiveTenants: null, gini: null, largestShare: null });
  expect(concentration([7])).toEqual({ hhi: 1, effectiveTenants: 1, gini: 0, largestShare: 1 });
  expect(concentration([1, 1, 1, 1])).toEqual({ hhi: 0.25, effectiveTenants: 4, gini: 0, largestShare: 0.25 });
  expect(concentration([0, 0, 0, 5])).toEqual({ hhi: 1, effectiveTenants: 1, gini: 0.75, largestShare: 1 });
  expect(concentration([1, 3])).toEqual({ hhi: 0.625, effectiveTenants: 1.6, gini: 0.25, largestShare: 0.75 });
});

const used = fc
  .array(fc.double({ min: 0, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 50 })
  .filter((amounts) => Math.max(...amounts) > 1e-6);

function figures(amounts: number[]) {
  const { hhi, gini, largestShare, effectiveTenants } = concentration(amounts);
  return {
    hhi: hhi ?? NaN,
    gini: gini ?? NaN,
    largestShare: largestShare ?? NaN,
    effectiveTenants: effectiveTenants ?? NaN,
  };
}

const slack = 1e-9;

test('each figure keeps to its bounds', () => {
  fc.assert(
    fc.property(used, (amounts) => {
      const { hhi, gini, largestShare, effectiveTenants } = figures(amounts);
      const n = amounts.length;
      expect(hhi).toBeGreaterThanOrEqual(1 / n - slack);
      expect(hhi).toBeLessThanOrEqual(largestShare + slack);
      expect(hhi).toBeGreaterThanOrEqual(largestShare ** 2 - slack);
      expect(effectiveTenants).toBeLessThanOrEqual(n + slack * n);
      expect(gini).toBeGreaterThanOrEqual(0);
      expect(gini).toBeLessThanOrEqual((n - 1) / n + slack);
    }),
  );
});

test('order and unit do not matter', () => {
  fc.assert(
    fc.property(used, fc.double({ min: 1e-3, max: 1e3, noNaN: true }), (amounts, factor) => {
      const before = figures(amounts);
      const after = figures(amounts.toReversed().map((amount) => amount * factor));
      for (const figure of ['hhi', 'gini', 'largestShare'] as const)
        expect(after[figure]).toBeCloseTo(before[figure], 9);
    }),
  );
});

test('taking from a smaller tenant for a larger one raises hhi and gini', () => {
  fc.assert(
    fc.property(used, fc.double({ min: 0, max: 1, noNaN: true }), (amounts, part) => {
      const sorted = amounts.toSorted((a, b) => a - b);
      const moved = (sorted[0] ?? 0) * part;
      const after = figures(
        sorted.map((amount, index) => amount + (index === sorted.length - 1 ? moved : 0) - (index === 0 ? moved : 0)),
      );
      expect(after.hhi).toBeGreaterThanOrEqual(figures(sorted).hhi - slack);
      expect(after.gini).toBeGreaterThanOrEqual(figures(sorted).gini - slack);
    }),
  );
});
