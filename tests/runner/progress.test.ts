import { expect, test } from 'vitest';
import { lastProgress, readProgress } from '../../src/runner/progress.ts';

test.each([
  ['weir progress 120/5000 steps', { done: 120, total: 5000, unit: 'steps' }],
  ['weir progress 1.5/3', { done: 1.5, total: 3, unit: null }],
  ['weir progress 7', { done: 7, total: null, unit: null }],
  ['{"weir":{"done":3,"total":10,"unit":"epochs"}}', { done: 3, total: 10, unit: 'epochs' }],
  ['{"weir":{"done":3}}', { done: 3, total: null, unit: null }],
  ['{"weir":{"done":"3"}}', undefined],
  ['{"weir":{"done":1e999}}', undefined],
  [`weir progress ${'9'.repeat(400)}`, undefined],
  ['{"weir":{"done":3,"total":1e999}}', { done: 3, total: null, unit: null }],
  ['{"weir":{"done":3,"unit":"a\\u0000b\\ud83d"}}', { done: 3, total: null, unit: 'a b\ufffd' }],
  [`{"weir":{"done":3,"unit":"${'x'.repeat(31)}😀s"}}`, { done: 3, total: null, unit: `${'x'.repeat(31)}😀` }],
  ['{"weir":null}', undefined],
  ['{"weir', undefined],
  ['weir progress soon', undefined],
  ['the weir progress 1/2', undefined],
])('%j tells %j', (line, progress) => {
  expect(readProgress(line)).toEqual(progress);
});

test('of many lines the last progress counts', () => {
  expect(lastProgress(['weir progress 1/3', 'weir progress 2/3', 'loss 0.1', 'weir is a word'])).toMatchObject({
    done: 2,
  });
});
