import { expect, test } from 'vitest';
import { hintOf, mostLines, noLog, withLines } from '../../src/dashboard/pages/job/log-lines.ts';
import type { LogLine } from '../../src/protocol/job.ts';

const lines = (count: number) =>
  Array.from({ length: count }, (_, seq): LogLine => ({
    seq,
    attempt: 1,
    node: 0,
    stream: 'stdout',
    text: '',
    at: '2026-01-01T00:00:00Z',
  }));

test('a log of more lines than are kept says so, also when it is complete', () => {
  const whole = withLines(noLog, lines(mostLines));
  expect([whole.lines.length, hintOf({ ...whole, isComplete: true })]).toEqual([mostLines, 'The log is complete.']);
  const cut = withLines(whole, lines(1));
  expect([cut.lines.length, cut.isCut]).toEqual([mostLines, true]);
  expect(hintOf({ ...cut, isComplete: true })).toBe('The log is complete. Only its last 20,000 lines are shown here.');
});

test('what was wrong with the log is over when lines come again', () => {
  const failing = { ...noLog, fault: 'weir does not answer.' };
  expect(hintOf(failing)).toBe('weir does not answer.');
  expect(hintOf(withLines(failing, lines(1)))).toBe('Live.');
});
