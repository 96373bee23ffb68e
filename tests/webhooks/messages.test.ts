import { expect, test } from 'vitest';
import { nextTry } from '../../src/webhooks/schedule.ts';
import { messagesOf, type Change } from '../../src/webhooks/messages.ts';

const change: Change = {
  jobId: 'job_1',
  tenantId: 'tnt_1',
  name: 'train',
  to: 'succeeded',
  at: new Date('2026-11-25T12:00:00Z'),
  attempt: 1,
  reason: 'completed',
  message: 'It ended.',
};
const url = 'https://example.org/hook';
const typesOf = (webhook: Parameters<typeof messagesOf>[0][number], to: Change['to']) =>
  messagesOf([webhook], { ...change, to }).map(({ message }) => message.type);

test('an address that names no events is told of every change, and of the end once', () => {
  expect(typesOf({ url }, 'running')).toEqual(['job.running']);
  expect(typesOf({ url }, 'failed')).toEqual(['job.finished']);
});

test('an address is told of what it named and of nothing else', () => {
  const events = ['job.finished', 'job.running'] as const;
  expect(typesOf({ url, events: [...events] }, 'queued')).toEqual([]);
  expect(typesOf({ url, events: [...events] }, 'running')).toEqual(['job.running']);
  expect(typesOf({ url, events: [...events] }, 'cancelled')).toEqual(['job.finished']);
  expect(typesOf({ url, events: ['job.cancelled'] }, 'cancelled')).toEqual(['job.cancelled']);
});

test('a forecast is told to who named it, and is no change of the state', () => {
  const forecast = { ...change, to: 'running', announcement: 'cost.nearing-limit' } as const;
  const told = (webhook: Parameters<typeof messagesOf>[0][number]) =>
    messagesOf([webhook], forecast).map(({ message }) => message.type);
  expect(told({ url })).toEqual([]);
  expect(told({ url, events: ['job.running', 'forecast.left-quote'] })).toEqual([]);
  expect(told({ url, events: ['job.running', 'cost.nearing-limit'] })).toEqual(['cost.nearing-limit']);
});

test('tries are spread over three days and then end', () => {
  let at = change.at;
  let tries = 0;
  for (let next = nextTry(1, at); next !== undefined; next = nextTry(tries + 1, at)) {
    expect(next.getTime()).toBeGreaterThan(at.getTime());
    at = next;
    tries += 1;
  }
  expect(tries).toBe(9);
  const hours = (at.getTime() - change.at.getTime()) / 3_600_000;
  expect(hours).toBeGreaterThan(72);
  expect(hours).toBeLessThan(80);
});
