import { expect, test } from 'vitest';
import { buckets, monthStart, monthWindow, windowMs } from '../../src/shares/window.ts';

const now = new Date('2026-11-10T12:34:56Z');
const day = 86_400_000;

test('a window is a duration within centuries, or all', () => {
  expect(windowMs('24h')).toBe(day);
  expect(windowMs('30d')).toBe(30 * day);
  expect(windowMs('1.5h')).toBe(90 * 60_000);
  expect(windowMs('90s')).toBe(90_000);
  expect(windowMs('all')).toBeUndefined();
  for (const wrong of ['', '0d', '0.0h', '30', '-1d', '1w', 'ALL', '100000d'])
    expect(() => windowMs(wrong)).toThrow('not a window');
});

test('a month ends with itself or now', () => {
  expect(monthWindow('2026-02', now)).toEqual({
    from: new Date('2026-02-01T00:00:00Z'),
    to: new Date('2026-03-01T00:00:00Z'),
  });
  expect(monthWindow('2025-12', now).to).toEqual(new Date('2026-01-01T00:00:00Z'));
  expect(monthWindow('2026-11', now)).toEqual({ from: new Date('2026-11-01T00:00:00Z'), to: now });
  expect(() => monthWindow('2026-12', now)).toThrow('has not begun');
  for (const wrong of ['2026', '2026-13', '2026-1', '26-01'])
    expect(() => monthWindow(wrong, now)).toThrow('not a month');
});

test('budgets by the month begin at its first moment in UTC', () => {
  expect(monthStart(now)).toEqual(new Date('2026-11-01T00:00:00Z'));
  expect(monthStart(new Date('2026-11-01T00:00:00Z'))).toEqual(new Date('2026-11-01T00:00:00Z'));
});

test('buckets are whole hours up to a week, then whole days', () => {
  const hours = buckets({ from: new Date(now.getTime() - day), to: now }, undefined);
  expect(hours.lengthMs).toBe(3_600_000);
  expect(hours.starts).toHaveLength(25);
  expect(hours.starts[0]).toEqual(new Date('2026-11-09T12:00:00Z'));
  const days = buckets({ from: new Date(now.getTime() - 30 * day), to: now }, undefined);
  expect(days.lengthMs).toBe(day);
  expect(days.starts[0]).toEqual(new Date('2026-10-11T00:00:00Z'));
  expect(days.starts.at(-1)).toEqual(new Date('2026-11-10T00:00:00Z'));
  expect(() => buckets({ from: new Date(0), to: now }, 'hour')).toThrow('bucket=day');
});
