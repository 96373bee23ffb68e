import { expect, test } from 'vitest';
import { secondsRun } from '../../src/dashboard/parts/seconds-run.ts';

const at = (minute: number) => new Date(Date.UTC(2026, 10, 28, 12, minute)).toISOString();
const stretch = (from: number, to: number | null) => ({ startedAt: at(from), finishedAt: to === null ? null : at(to) });

test('a job that was evicted ran as long as it had machines, as its quote counts it', () => {
  const attempts = [stretch(0, 30), stretch(210, 240)];
  expect(secondsRun({ ...stretch(0, 240), attempts }, 0)).toBe(3600);
  const waiting = { ...stretch(0, null), attempts: [stretch(0, 30), { startedAt: null, finishedAt: null }] };
  expect(secondsRun(waiting, Date.parse(at(200)))).toBe(1800);
});

test('what is known only as a whole ran from its start until its end, or now', () => {
  expect(secondsRun(stretch(0, 5), 0)).toBe(300);
  expect(secondsRun({ ...stretch(0, null), attempts: [] }, Date.parse(at(2)))).toBe(120);
  expect(secondsRun({ ...stretch(0, 5), attempts: 2 }, 0)).toBe(300);
  expect(secondsRun({ startedAt: null, finishedAt: null }, 0)).toBeUndefined();
});
