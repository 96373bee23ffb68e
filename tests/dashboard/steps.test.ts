import { expect, test } from 'vitest';
import { daysPassed, stepsOf } from '../../src/dashboard/charts/steps.ts';
import { day, exact, tick } from '../../src/dashboard/parts/format.ts';

test('what holds for an hour is flat through it, and gone with the next', () => {
  const points = [0, 1, 2].map((atMs) => ({ atMs, values: [atMs === 1 ? 0.5 : 0] }));
  expect(stepsOf(points).map(({ atMs, values }) => [atMs, values[0]])).toEqual([
    [0, 0],
    [1, 0],
    [1, 0.5],
    [2, 0.5],
    [2, 0],
  ]);
});

test('an hour that has not ended counts by what has passed of it', () => {
  const hour = { from: '2026-11-20T10:00:00Z', to: '2026-11-20T11:00:00Z' };
  expect(daysPassed(hour, Date.parse('2026-11-20T12:00:00Z'))).toBeCloseTo(1 / 24, 12);
  expect(daysPassed(hour, Date.parse('2026-11-20T10:15:00Z'))).toBeCloseTo(1 / 96, 12);
});

test('a day of UTC is named as such wherever its reader is', () => {
  const at = '2026-11-28T00:00:00.000Z';
  expect(day(at)).toBe('28 Nov 2026');
  expect(exact(at, 'UTC')).toBe('28 Nov 2026, 00:00:00 UTC');
  expect(tick(new Date(at), 30 * 86_400_000, 'UTC')).toBe('28 Nov');
});
