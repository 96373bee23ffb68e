import { expect, test } from 'vitest';
import type { JobSpec } from '../../src/protocol/job-spec.ts';
import { scalingOf } from '../../src/quotes/scaling.ts';
import { builtInCatalogue } from '../../src/quotes/price-list.ts';
import { indexWares } from '../../src/quotes/sellers.ts';
import { localMachine, quoteOf, waresWithGpus } from './sample.ts';

test('more accelerators take less time and never cost less', () => {
  const spec = {
    name: 'train',
    command: 'true',
    resources: { accelerators: 'A100:4' },
    workload: { flops: 1e21, kind: 'llm' as const },
  };
  const quote = quoteOf(spec, { wares: waresWithGpus('A100') });
  const { points } = scalingOf({ quote, spec });
  expect(points.map(({ accelerators }) => accelerators.count)).toEqual([1, 2, 4, 8, 16, 32, 64]);
  for (const [at, point] of points.entries()) {
    const before = points[at - 1];
    if (before === undefined) continue;
    expect(point.durationSeconds.p50).toBeLessThan(before.durationSeconds.p50);
    expect(point.durationSeconds.p50).toBeGreaterThan(before.durationSeconds.p50 / 2);
    expect(point.costUsd.p50).toBeGreaterThan(before.costUsd.p50);
  }
  const quoted = points.find(({ accelerators }) => accelerators.count === 4);
  expect(quoted?.durationSeconds.p50).toBeCloseTo(quote.options[0]?.durationSeconds.p50 ?? 0, 2);
});

test('cores that were measured have their quoted duration on the curve too', () => {
  const measured = { ...localMachine, gigaflopsPerCore: 90 };
  const spec = { name: 'train', command: 'true', workload: { flops: 1e15 }, resources: { cpus: 2 } };
  const wares = indexWares([{ provider: 'local', sellables: [measured] }], builtInCatalogue);
  const quote = quoteOf(spec, { wares });
  const [one, two] = scalingOf({ quote, spec }).points;
  expect(two?.durationSeconds.p50).toBeCloseTo(quote.options[0]?.durationSeconds.p50 ?? NaN, 6);
  expect((one?.durationSeconds.p50 ?? NaN) / (two?.durationSeconds.p50 ?? NaN)).toBeCloseTo(2 ** 0.85, 2);
});

test('counts that can’t hold the model are left out', () => {
  const spec = {
    name: 'train',
    command: 'true',
    resources: { accelerators: 'A100:4' },
    workload: { parameters: 7e9, tokens: 1e9 },
  };
  const { points } = scalingOf({ quote: quoteOf(spec), spec });
  expect(points[0]?.accelerators.count).toBe(4);
});

test('on spot the curve is what a quote for each count says, and leaves out what would hardly finish or not be done', () => {
  const at = (count: number, more: Partial<JobSpec> = {}) => {
    const spec = {
      name: 'train',
      command: 'true',
      resources: { accelerators: `A100-80GB:${count}`, market: 'spot' as const },
      workload: { parameters: 7e9, tokens: 2.5e7, sequenceLength: 2048 },
      ...more,
    };
    const quote = quoteOf(spec);
    return { option: quote.options[0], ...scalingOf({ quote, spec }) };
  };
  const { points } = at(8);
  const pointAt = (count: number) => points.find(({ accelerators }) => accelerators.count === count);
  for (const count of [4, 8]) {
    const { durationSeconds } = pointAt(count) ?? {};
    const { option } = at(count);
    for (const percentile of ['p10', 'p50', 'p90'] as const)
      expect((durationSeconds?.[percentile] ?? 0) / (option?.durationSeconds[percentile] ?? 0)).toBeCloseTo(1, 2);
  }
  expect(at(2).option?.reasons.join(' ')).toContain('may never finish');
  expect(pointAt(2)).toBeUndefined();
  const limited = at(4, { maxDuration: '15m' }).points;
  expect(limited.map(({ accelerators }) => accelerators.count)).toEqual([4, 32, 64]);
});

test('a mere duration has one point', () => {
  const spec = { name: 'train', command: 'true', workload: { expectedDuration: '1h' } };
  expect(scalingOf({ quote: quoteOf(spec), spec }).points).toHaveLength(1);
});

test('more accelerators stop paying where preparation is most of the time, and pay on where work is', () => {
  const payingUpTo = (flops: number) => {
    const spec = {
      name: 'train',
      command: 'true',
      image: 'train:1',
      setup: 'true',
      resources: { accelerators: 'A100:4' },
      workload: { flops, kind: 'llm' as const },
    };
    return scalingOf({ quote: quoteOf(spec, { wares: waresWithGpus('A100') }), spec }).payingUpTo?.count;
  };
  expect(payingUpTo(1e16)).toBe(1);
  expect(payingUpTo(1e21)).toBe(64);
  expect(payingUpTo(1e17)).toBeLessThan(payingUpTo(1e19) ?? 0);
});
