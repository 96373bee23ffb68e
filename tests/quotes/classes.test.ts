import { expect, test } from 'vitest';
import { medianOf } from '../../infra/calibration/class-rows.ts';
import { readCompact } from '../../infra/calibration/compact.ts';
import { kindOf } from '../../infra/catalogue/tables.ts';
import { classSeconds } from '../../src/quotes/classes.ts';
import { presets } from '../../src/quotes/presets.ts';
import { priorOf } from '../../src/quotes/prior.ts';
import { workSeconds } from '../../src/quotes/speed.ts';
import { resolveWork } from '../../src/quotes/work.ts';

const { benchmarks } = readCompact();
const known = [...presets].flatMap(([name, preset]) =>
  preset.class !== null && name.startsWith('mlperf-') ? [[name, preset.class] as const] : [],
);

/** Median minutes of a class's results on accelerators of a kind, by the count that has most of them. */
function usualResult(name: string): { kind: string; count: number; minutes: number } {
  const rows = benchmarks.filter(
    (row) => row.class === name && kindOf[row.accelerator] !== undefined && row.round >= 'v3.0',
  );
  const [most = []] = [...Map.groupBy(rows, ({ accelerator, count }) => `${accelerator} ${count}`).values()].toSorted(
    (left, right) => right.length - left.length,
  );
  const [first] = most;
  if (first === undefined) throw new Error(`no result of ${name}`);
  return {
    kind: kindOf[first.accelerator] ?? '',
    count: first.count,
    minutes: medianOf(most.map(({ minutes }) => minutes)),
  };
}

test.each(known)('%s is quoted as its results are, and far narrower than from its spec', (preset, name) => {
  const { kind, count, minutes } = usualResult(name);
  const work = resolveWork({ preset });
  const seconds = workSeconds(work, { kind, count }) ?? NaN;
  expect(seconds / 60 / minutes).toBeGreaterThan(0.8);
  expect(seconds / 60 / minutes).toBeLessThan(1.25);
  const { halfWidth } = priorOf(work, kind);
  expect(halfWidth).toBeGreaterThan(Math.log(1.03));
  expect(halfWidth).toBeLessThan(priorOf({ ...work, class: null }, kind).halfWidth / 2);
});

test('an accelerator on which nobody has run the class is quoted too, and wider', () => {
  const work = resolveWork({ preset: 'mlperf-resnet' });
  expect(
    classSeconds({ class: 'resnet', samples: work.samples, batchSize: null }, { kind: 'H200', count: 8 }),
  ).toBeGreaterThan(0);
  expect(priorOf(work, 'B200').halfWidth).toBeGreaterThan(priorOf(work, 'H100').halfWidth);
});

test('other data than the class trains on is no run of the class', () => {
  const work = resolveWork({ preset: 'resnet50-imagenet' });
  expect(
    classSeconds({ class: 'resnet', samples: work.samples, batchSize: null }, { kind: 'A100-80GB', count: 8 }),
  ).toBeUndefined();
  const less = resolveWork({ preset: 'mlperf-bert', examples: 1000 });
  expect(priorOf(less, 'H100').halfWidth).toBe(priorOf({ ...less, class: null }, 'H100').halfWidth);
});

test('more accelerators never make a class slower', () => {
  for (const [preset] of known) {
    const work = resolveWork({ preset });
    for (const kind of ['A100-80GB', 'H100', 'H200', 'v5p']) {
      let before = Infinity;
      for (let count = 8; count <= 16_384; count *= 2) {
        const seconds = workSeconds(work, { kind, count }) ?? NaN;
        expect(seconds, `${preset} on ${count} ${kind}`).toBeLessThan(before);
        before = seconds;
      }
    }
  }
});
