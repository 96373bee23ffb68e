import { expect, test } from 'vitest';
import { medianOf } from '../../infra/calibration/class-rows.ts';
import { readCompact } from '../../infra/calibration/compact.ts';
import { kindOf } from '../../infra/catalogue/tables.ts';
import { classTime } from '../../src/quotes/classes.ts';
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
    classTime({ class: 'resnet', samples: work.samples, batchSize: null }, { kind: 'H200', count: 8 })?.seconds,
  ).toBeGreaterThan(0);
  expect(priorOf(work, 'B200').halfWidth).toBeGreaterThan(priorOf(work, 'H100').halfWidth);
});

test('far other data than the class trains on are no run of the class', () => {
  const less = resolveWork({ preset: 'mlperf-bert', examples: 1000 });
  expect(priorOf(less, 'H100').halfWidth).toBe(priorOf({ ...less, class: null }, 'H100').halfWidth);
  const more = resolveWork({ preset: 'mlperf-resnet', examples: 1_281_167, epochs: 90 });
  expect(priorOf(more, 'A100').halfWidth).toBe(priorOf({ ...more, class: null }, 'A100').halfWidth);
});

test('more data take longer, in the middle and at the far end, into the class and out of it', () => {
  for (const [preset, { workload, class: ofClass }] of presets) {
    if (ofClass === null || workload.examples === undefined) continue;
    const usual = workload.examples * (workload.epochs ?? 1);
    for (const kind of ['V100', 'A100-80GB', 'H100', 'B200', 'v4', 'v6e']) {
      let [middle, end] = [0, 0];
      for (let part = 1 / 256; part < 8; part *= 1.13) {
        const work = resolveWork({ preset, examples: usual * part, epochs: 1 });
        const p50 = workSeconds(work, { kind, count: 8 }) ?? NaN;
        const p90 = p50 * Math.exp(priorOf(work, kind).halfWidth);
        expect(p50, `${preset} on ${kind}, ${part} of its data`).toBeGreaterThanOrEqual(middle);
        expect(p90, `${preset} on ${kind}, ${part} of its data`).toBeGreaterThanOrEqual(end * 0.999);
        [middle, end] = [p50, p90];
      }
    }
  }
});

test('a ResNet-50 of more epochs takes longer, and is as sure with any number of them', () => {
  const quoted = [20, 30, 40, 50, 60, 80, 90, 120].map((epochs) => {
    const work = resolveWork({ preset: 'resnet50-imagenet', epochs });
    const seconds = workSeconds(work, { kind: 'A100-80GB', count: 8 }) ?? NaN;
    return { seconds, halfWidth: priorOf(work, 'A100-80GB').halfWidth };
  });
  const seconds = quoted.map((each) => each.seconds);
  expect(seconds).toEqual(seconds.toSorted((left, right) => left - right));
  expect(new Set(quoted.map(({ halfWidth }) => halfWidth)).size).toBe(1);
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
