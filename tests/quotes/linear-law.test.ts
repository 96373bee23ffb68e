import { expect, test } from 'vitest';
import fc from 'fast-check';
import { fitLinearLaw } from '../../src/quotes/linear-law.ts';

const positive = (max: number) => fc.double({ min: 1e-3, max, noNaN: true });

test('jobs that follow the law give its coefficient back, without error', () => {
  fc.assert(
    fc.property(positive(1e3), fc.array(positive(1e12), { minLength: 2, maxLength: 30 }), (coefficient, scales) => {
      const law = fitLinearLaw(scales.map((scale) => ({ scale, amount: coefficient * scale })));
      expect((law?.coefficient ?? 0) / coefficient).toBeCloseTo(1, 6);
      expect(law?.p90ErrorPercent).toBeCloseTo(0, 4);
    }),
  );
});

test('each job is judged by the law of the others, so one alone has none and two vouch for each other', () => {
  expect(fitLinearLaw([{ scale: 1, amount: 1 }])).toBeUndefined();
  const law = fitLinearLaw([
    { scale: 1, amount: 1 },
    { scale: 1, amount: 2 },
  ]);
  expect(law?.coefficient).toBeCloseTo(Math.SQRT2, 6);
  // Half of 2, and twice 1.
  expect(law?.medianErrorPercent).toBeCloseTo(75, 6);
});
