import { expect, test } from 'vitest';
import fc from 'fast-check';
import { calibrate, distribution, spreadOf, type Residual } from '../../src/quotes/interval.ts';
import { resolveWork } from '../../src/quotes/work.ts';

const residuals = (...logRatios: number[]): Residual[] =>
  logRatios.map((logRatio) => ({ logRatio, errorPercent: 10, isCovered: true }));
const none = { sameName: undefined, tenant: undefined, all: undefined };
const work = resolveWork({ examples: 1000, flopsPerExample: 1e6 });

test('a distribution neither crosses nor turns negative', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 1e-6, max: 1e9, noNaN: true }),
      fc.double({ min: -5, max: 5, noNaN: true }),
      fc.double({ min: 0, max: 5, noNaN: true }),
      (seconds, shift, halfWidth) => {
        const { p10, p50, p90 } = distribution(seconds, {
          shift,
          halfWidth,
          calibration: undefined,
          isOfSameName: false,
        });
        expect(p10).toBeGreaterThan(0);
        expect(p10).toBeLessThanOrEqual(p50);
        expect(p50).toBeLessThanOrEqual(p90);
      },
    ),
  );
});

test('five runs of one name bring the middle within 5 % and narrow the range more than threefold', () => {
  const sameName = calibrate(residuals(2, 2.02, 1.98, 2.01, 2.03));
  const before = spreadOf(work, 'cpu', none);
  const after = spreadOf(work, 'cpu', { ...none, sameName });
  expect(Math.abs(Math.exp(after.shift - 2.01) - 1)).toBeLessThan(0.05);
  expect(after.halfWidth).toBeLessThan(before.halfWidth / 3);
});

test('a few runs narrow the range, one at a time, and never below what two runs could show', () => {
  const widths = [1, 2, 3].map(
    (runs) =>
      spreadOf(work, 'cpu', { ...none, sameName: calibrate(residuals(...Array.from({ length: runs }, () => 0.5))) })
        .halfWidth,
  );
  expect(widths).toEqual(widths.toSorted((left, right) => right - left));
  expect(widths.at(-1)).toBeGreaterThanOrEqual(Math.log(1.3));
});

test('the nearest group with something to say is asked', () => {
  const few = calibrate(residuals(1, 1));
  const many = calibrate(residuals(...Array.from({ length: 12 }, (_, at) => 1 + at / 100)));
  expect(spreadOf(work, 'cpu', { ...none, tenant: few, all: many }).calibration).toBe(many);
  expect(spreadOf(work, 'cpu', { ...none, tenant: many, all: few }).calibration).toBe(many);
  expect(spreadOf(work, 'cpu', { sameName: few, tenant: many, all: many }).calibration).toBe(few);
  expect(spreadOf(work, 'cpu', { ...none, tenant: few }).calibration).toBeUndefined();
});

test('the conformal interval covers at least 80 % of what comes from the same source', () => {
  let seed = 1;
  const uniform = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
  const normal = (): number => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  let covered = 0;
  const trials = 2000;
  for (let trial = 0; trial < trials; trial++) {
    const { shift, halfWidth } = spreadOf(work, 'cpu', {
      ...none,
      sameName: calibrate(residuals(...Array.from({ length: 19 }, () => 0.3 * normal()))),
    });
    if (Math.abs(0.3 * normal() - shift) <= halfWidth) covered += 1;
  }
  expect(covered / trials).toBeGreaterThan(0.78);
  expect(covered / trials).toBeLessThan(0.88);
});
