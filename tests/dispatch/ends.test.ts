import { expect, test } from 'vitest';
import { endOf } from '../../src/dispatch/ends.ts';
import type { ActiveRow } from '../../src/dispatch/store.ts';
import { advance, type Track } from '../../src/quotes/progress.ts';
import { quoteOf } from '../quotes/sample.ts';

const [option] = quoteOf({ workload: { expectedDuration: '100s' } }).options;
const startedAt = new Date('2026-11-25T12:00:00Z');
const startMs = startedAt.getTime();

/** Ten steps of a hundred, ten seconds each: a thousand seconds in all. */
const slow = Array.from({ length: 10 }, (_, at) => at + 1).reduce<Track | null>(
  (track, done) => advance(track, { done, total: 100, unit: null }, { atMs: startMs + done * 10_000, attempt: 1 }),
  null,
);

const secondsIn = (row: Partial<ActiveRow>, at = 50): number => {
  const whole = {
    startedAt,
    createdAt: startedAt,
    attempt: 1,
    earlierMs: 0,
    isStopping: false,
    progress: null,
    ...row,
  };
  if (option === undefined) throw new Error('Nothing was quoted.');
  return (endOf(whole as ActiveRow, option, startMs + at * 1000).p50 - startMs) / 1000;
};

test('a running job ends by its own speed where it tells one, else as quoted, and soon where it is stopping', () => {
  expect(secondsIn({})).toBeCloseTo(100, 3);
  expect(secondsIn({ progress: slow }, 100)).toBeGreaterThan(900);
  expect(secondsIn({ isStopping: true })).toBeCloseTo(80, 3);
});

test('a job beyond its quote is not expected to end at any moment, but later the longer it has run', () => {
  const left = [100, 200, 400].map((at) => secondsIn({}, at) - at);
  expect(left[0]).toBeGreaterThan(5);
  expect(left).toEqual(left.toSorted((a, b) => a - b));
  expect(left[2]).toBeGreaterThan(50);
});
