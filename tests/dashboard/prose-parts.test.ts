import { expect, test } from 'vitest';
import { proseParts } from '../../src/dashboard/parts/prose-parts.ts';

const now = Date.parse('2026-11-28T20:00:00Z');
const momentsOf = (text: string) =>
  proseParts(text, now).flatMap((part) => (typeof part === 'object' && 'at' in part ? [part.at] : []));

test('a sentence’s jobs and moments are told from its words', () => {
  const job = `job_${'0'.repeat(26)}`;
  expect(proseParts(`${job} ends, about 21:30 UTC, or an operator helps.`, now)).toEqual([
    { job },
    ' ends, about ',
    { at: '2026-11-28T21:30:00.000Z' },
    ', or an operator helps.',
  ]);
  expect(momentsOf('Tried at 2026-11-28T19:00:00.5Z.')).toEqual(['2026-11-28T19:00:00.5Z']);
});

test('a time without its date is the next such one, or one that has just passed', () => {
  expect(momentsOf('about 03:10 UTC')).toEqual(['2026-11-29T03:10:00.000Z']);
  expect(momentsOf('about 19:55 UTC')).toEqual(['2026-11-28T19:55:00.000Z']);
  expect(momentsOf('about 2026-11-30 08:00 UTC')).toEqual(['2026-11-30T08:00:00Z']);
});
