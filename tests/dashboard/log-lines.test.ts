import { expect, test } from 'vitest';
import { hintOf, mostLines, noLog, withLines } from '../../src/dashboard/pages/job/log-lines.ts';
import { curvesOfLog } from '../../src/dashboard/pages/job/readings.ts';
import type { LogLine } from '../../src/protocol/job.ts';

const line = (seq: number, given: Partial<LogLine> = {}): LogLine => ({
  seq,
  attempt: 1,
  node: 0,
  stream: 'stdout',
  text: '',
  at: '2026-01-01T00:00:00Z',
  ...given,
});
const lines = (count: number, from = 0) => Array.from({ length: count }, (_, at) => line(from + at));

test('a log of more lines than are kept says so, also when it is complete', () => {
  const whole = withLines(noLog, lines(mostLines));
  expect([whole.lines.length, hintOf({ ...whole, isComplete: true })]).toEqual([mostLines, 'The log is complete.']);
  const cut = withLines(whole, lines(1, mostLines));
  expect([cut.lines.length, cut.lines[0]?.seq]).toEqual([mostLines, 1]);
  expect(hintOf({ ...cut, isComplete: true })).toBe('The log is complete. Only its last 20,000 lines are shown here.');
});

test('what was wrong with the log is over when the service answers again', () => {
  const failing = { ...noLog, fault: 'weir does not answer.' };
  expect(hintOf(failing)).toBe('weir does not answer.');
  expect(hintOf(withLines(failing, []))).toBe('Live.');
  expect(hintOf(withLines(failing, lines(1)))).toBe('Live.');
});

test('numbers that lines tell again and again become curves as the lines come', () => {
  const first = withLines(noLog, [line(0, { text: 'step=1 loss=4' }), line(1, { text: '{"loss":3,"rate":0.1}' })]);
  const { readings } = withLines(first, [line(2, { text: 'loss: 2' }), line(3, { text: 'weir progress 1/4 steps' })]);
  expect(curvesOfLog(readings).map((curve) => [curve.name, curve.readings.map(({ value }) => value)])).toEqual([
    ['loss', [4, 3, 2]],
  ]);
});

test('of what several nodes tell, the first node’s is the curve', () => {
  const told = (seq: number, node: number, loss: number) => line(seq, { node, text: `loss=${loss}` });
  const early = withLines(noLog, [told(0, 2, 9), told(1, 1, 8), told(2, 1, 7)]);
  expect(curvesOfLog(early.readings)).toMatchObject([
    { name: 'loss', node: 1, readings: [{ value: 8 }, { value: 7 }] },
  ]);
  const { readings } = withLines(early, [told(3, 0, 6), told(4, 1, 5), told(5, 0, 4)]);
  expect(curvesOfLog(readings)).toMatchObject([{ name: 'loss', node: 0, readings: [{ value: 6 }, { value: 4 }] }]);
});
