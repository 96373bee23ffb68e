import { expect, test } from 'vitest';
import { extent, thinned } from '../../src/dashboard/charts/thin.ts';
import { curvesOf } from '../../src/dashboard/pages/job/curves.ts';

test('of a file with half a million numbers so many points are drawn as a chart has room for, from the first to the last', () => {
  const rows = Array.from({ length: 250_000 }, (_, at) => `${at},${at / 2}`);
  const curves = curvesOf('history.csv', ['step,loss', ...rows].join('\n'));
  expect(curves?.x).toBe('step');
  expect(curves?.xs.length).toBeLessThanOrEqual(401);
  expect([curves?.xs[0], curves?.xs.at(-1)]).toEqual([0, 249_999]);
  expect(curves?.columns.map(({ name, values }) => [name, values.length, values.at(-1)])).toEqual([
    ['loss', curves?.xs.length, 124_999.5],
  ]);
});

test('few points are all drawn', () => {
  expect(thinned([3, 1, 2])).toEqual([3, 1, 2]);
  expect(thinned([])).toEqual([]);
});

test('the extent of more numbers than a call takes arguments begins at 0 and skips gaps', () => {
  expect(extent([null, 5, -2], Array<number>(500_000).fill(1))).toEqual([-2, 5]);
  expect(extent([null], [])).toEqual([0, 0]);
});
