import { expect, test } from 'vitest';
import fc from 'fast-check';
import { paretoFront } from '../../src/quotes/pareto.ts';
import { quoteOf, waresWithGpus } from './sample.ts';

type Point = { cost: number; seconds: number };

const beats = (one: Point, other: Point): boolean =>
  one.cost <= other.cost && one.seconds <= other.seconds && (one.cost < other.cost || one.seconds < other.seconds);

test('on the front is what nothing beats, and nothing else', () => {
  const point = fc.record({ cost: fc.integer({ min: 0, max: 20 }), seconds: fc.integer({ min: 0, max: 20 }) });
  fc.assert(
    fc.property(fc.array(point, { maxLength: 30 }), (points) => {
      const front = paretoFront(
        points,
        ({ cost }) => cost,
        ({ seconds }) => seconds,
      );
      for (const candidate of points)
        expect(front.has(candidate)).toBe(!points.some((other) => beats(other, candidate)));
    }),
  );
});

test('a quote marks the front of what is feasible, and else of what could be bought', () => {
  const spec = { resources: { accelerators: 'L4' }, workload: { flops: 1e18, kind: 'llm' as const } };
  const here = quoteOf(spec, { wares: waresWithGpus('L4') }).options;
  expect(here.filter(({ pareto }) => pareto).length).toBeGreaterThan(1);
  expect(here.filter(({ pareto, feasible }) => pareto && !feasible)).toEqual([]);

  const planned = quoteOf({ resources: { accelerators: 'A100' }, workload: { preset: 'llama-2-7b' } }).options;
  const front = planned.filter(({ pareto }) => pareto);
  expect(front.length).toBeGreaterThan(1);
  for (const { reasons } of front) expect(reasons).toHaveLength(1);
});
