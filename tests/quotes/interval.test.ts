import { expect, test } from 'vitest';
import fc from 'fast-check';
import { calibrate, distribution, spreadOf, type Calibration, type Residual } from '../../src/quotes/interval.ts';
import { resolveWork } from '../../src/quotes/work.ts';

const residuals = (...logRatios: number[]): Residual[] =>
  logRatios.map((logRatio) => ({ logRatio, errorPercent: 10, isCovered: true }));
const work = resolveWork({ examples: 1000, flopsPerExample: 1e6 });

const logRatio = fc.double({ min: -5, max: 5, noNaN: true });
const runs = fc.array(logRatio, { maxLength: 40 }).map((ratios) => calibrate(residuals(...ratios)));
const evidence = fc.record({ sameName: runs, tenant: runs, workloadClass: runs, all: runs });

test('whatever was seen, a distribution neither crosses nor turns negative', () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-6, max: 1e9, noNaN: true }), evidence, (seconds, known) => {
      const { p10, p50, p90 } = distribution(seconds, spreadOf(work, 'cpu', known));
      expect(p10).toBeGreaterThan(0);
      expect(p10).toBeLessThanOrEqual(p50);
      expect(p50).toBeLessThanOrEqual(p90);
      expect(p90).toBeLessThan(Infinity);
    }),
  );
});

test('what a stopped run rules out is out; what it does not change stays', () => {
  fc.assert(
    fc.property(logRatio, evidence, (atLeast, known) => {
      const before = distribution(1, spreadOf(work, 'cpu', known));
      const after = distribution(1, spreadOf(work, 'cpu', { ...known, atLeast }));
      const least = Math.exp(atLeast);
      expect(after.p10).toBeGreaterThanOrEqual(least * (1 - 1e-9));
      if (least <= before.p10) expect(after).toEqual(before);
      else expect(after.p50).toBeGreaterThan(Math.max(least, before.p50 * (1 - 1e-9)));
      expect(after.p90).toBeGreaterThanOrEqual(before.p90 * (1 - 1e-9));
    }),
  );
});

/** Share of the runs that lie within a spread. */
const covered = (ratios: number[], { shift, halfWidth }: { shift: number; halfWidth: number }): number =>
  ratios.filter((ratio) => Math.abs(ratio - shift) <= halfWidth + 1e-9).length / ratios.length;

test('an interval is never tighter than the runs it rests on: it holds four of five, and all where they are few', () => {
  fc.assert(
    fc.property(fc.array(logRatio, { minLength: 1, maxLength: 40 }), (ratios) => {
      const sameName = calibrate(residuals(...ratios), Infinity);
      const spread = spreadOf(work, 'cpu', { sameName });
      // The distance of a run from the median of the others is no less than from that of all, or half a gap less.
      expect(covered(ratios, spread)).toBeGreaterThanOrEqual(ratios.length < 6 ? 1 : 0.7);
      expect(spread.halfWidth).toBeGreaterThanOrEqual(Math.log(1.03));
      if (ratios.length < 4) expect(spread.halfWidth).toBeGreaterThanOrEqual(Math.log(1.3));
    }),
  );
});

test('five runs of one name bring the middle within 5 % and narrow the range more than threefold', () => {
  fc.assert(
    fc.property(
      fc.double({ min: -6, max: 6, noNaN: true }),
      fc.array(fc.double({ min: -0.03, max: 0.03, noNaN: true }), { minLength: 5, maxLength: 20 }),
      fc.constantFrom('cpu', 'A100', 'H100', 'T4'),
      (middle, noise, accelerator) => {
        const sameName = calibrate(residuals(...noise.map((each) => middle + each)));
        const before = spreadOf(work, accelerator, {});
        const after = spreadOf(work, accelerator, { sameName });
        expect(Math.abs(Math.expm1(after.shift - middle))).toBeLessThan(0.05);
        expect(after.halfWidth).toBeLessThan(before.halfWidth / 3);
      },
    ),
  );
});

test.each([0.02, 0.1, 0.3])('nor does a pool of names that differ by %f hold five runs of one back', (between) => {
  const names = calibrate(residuals(...Array.from({ length: 12 }, (_, at) => (between * (at - 5.5)) / 4)), 100);
  for (const middle of [-4, -0.7, 0.2, 0.7, 4]) {
    const sameName = calibrate(residuals(...[0.01, -0.01, 0.02, -0.02, 0].map((each) => middle + each)));
    const { shift, halfWidth } = spreadOf(work, 'cpu', { all: names, tenant: names, sameName });
    expect(Math.abs(Math.expm1(shift - middle))).toBeLessThan(0.05);
    expect(halfWidth).toBeLessThan(0.08);
  }
  const first = spreadOf(work, 'cpu', { all: names, tenant: names, sameName: calibrate(residuals(4)) });
  expect(first.halfWidth).toBeGreaterThanOrEqual(Math.min(Math.log(1.3), 0.3));
});

test('a few runs narrow the range, one at a time, and never below what two runs could show', () => {
  const widths = [1, 2, 3].map(
    (count) =>
      spreadOf(work, 'cpu', { sameName: calibrate(residuals(...Array.from({ length: count }, () => 0.5))) }).halfWidth,
  );
  expect(widths).toEqual(widths.toSorted((left, right) => right - left));
  expect(widths.at(-1)).toBeGreaterThanOrEqual(Math.log(1.3));
  const apart = spreadOf(work, 'cpu', { sameName: calibrate(residuals(-1, 1)) });
  expect(apart.halfWidth).toBeGreaterThan(1);
});

const twelveAround = (middle: number): Calibration | undefined =>
  calibrate(residuals(...Array.from({ length: 12 }, (_, at) => middle + at / 100)));

test('each nearer group moves the middle to its own, and the nearest with enough jobs gives the range', () => {
  const all = twelveAround(1);
  const workloadClass = twelveAround(2);
  const tenant = twelveAround(3);
  const middles = [{ all }, { all, workloadClass }, { all, workloadClass, tenant }].map(
    (known) => spreadOf(work, 'cpu', known).shift,
  );
  for (const [at, middle] of middles.entries()) expect(Math.abs(middle - (at + 1.05))).toBeLessThan(0.15);
  expect(spreadOf(work, 'cpu', { all, workloadClass, tenant }).calibration).toBe(tenant);
  expect(spreadOf(work, 'cpu', { all, tenant: calibrate(residuals(1, 1)) }).calibration).toBe(all);
  expect(spreadOf(work, 'cpu', { all: calibrate(residuals(1, 1, 1)) }).calibration).toBeUndefined();
});

test('a handful of a tenant’s jobs correct the middle and leave the range as wide as it was', () => {
  const before = spreadOf(work, 'cpu', {});
  const after = spreadOf(work, 'cpu', { tenant: calibrate(residuals(1, 1.1, 0.9)) });
  expect(after.shift).toBeCloseTo(0.75, 2);
  expect(after.halfWidth).toBe(before.halfWidth);
});

test('a job that became slower is soon quoted so: newer runs weigh more', () => {
  const sameName = calibrate(residuals(...Array.from({ length: 20 }, (_, age) => (age < 9 ? 1 : 0))));
  expect(sameName?.centre).toBe(1);
  expect(calibrate(residuals(...Array.from({ length: 20 }, (_, age) => (age < 9 ? 1 : 0))), Infinity)?.centre).toBe(0);
});

test.each([5, 9, 19])('of what comes from the same source, the interval of %i runs covers about 80 %', (count) => {
  let seed = 1;
  const uniform = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
  const normal = (): number => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  let within = 0;
  const trials = 2000;
  for (let trial = 0; trial < trials; trial++) {
    const sameName = calibrate(residuals(...Array.from({ length: count }, () => 0.3 * normal())));
    const { shift, halfWidth } = spreadOf(work, 'cpu', { sameName });
    if (Math.abs(0.3 * normal() - shift) <= halfWidth) within += 1;
  }
  expect(within / trials).toBeGreaterThan(0.77);
  expect(within / trials).toBeLessThan(0.9);
});
