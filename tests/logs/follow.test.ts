import { expect } from 'vitest';
import { createListener } from '../../src/db/listen.ts';
import type { Database } from '../../src/db/database.ts';
import { followEvents, followLines } from '../../src/logs/follow.ts';
import { createWakeups, type Wakeups } from '../../src/logs/wakeups.ts';
import { recordEvent } from '../../src/jobs/move-store.ts';
import { test as withDatabase } from '../support/database.ts';
import { waitFor } from '../support/wait.ts';
import { at, endJob, insertJob, noBucket, numbered, writerOf } from './fixtures.ts';

const test = withDatabase.extend<{ wakeups: Wakeups }>({
  wakeups: async ({ db }, use) => {
    const listener = createListener(db.url);
    await use(createWakeups(listener));
    await listener.close();
  },
});

/** Follows in the background; what came lies in `seen`. */
function collect<T>(batches: AsyncIterable<T[]>) {
  const seen: T[] = [];
  const done = (async () => {
    for await (const batch of batches) seen.push(...batch);
  })();
  return { seen, done };
}

function follow(
  db: Database,
  wakeups: Wakeups,
  jobId: string,
  { after = -1, signal = new AbortController().signal } = {},
) {
  return collect(followLines({ db, bucket: noBucket, wakeups }, { jobId, after, signal }));
}

test('lines come as they are written, and the end after the last', async ({ db, wakeups }) => {
  const { id } = await insertJob(db);
  const write = writerOf(db, id);
  await write(['before']);
  const { seen, done } = follow(db, wakeups, id);
  await waitFor('the first line', () => seen.length === 1);
  await write(['live']);
  await waitFor('the live line', () => seen.length === 2);
  await write(['last']);
  await endJob(db, id);
  await done;
  expect(seen.map(({ text }) => text)).toEqual(['before', 'live', 'last']);
});

test('it goes on after the last line seen', async ({ db, wakeups }) => {
  const { id } = await insertJob(db);
  await writerOf(db, id)(numbered(0, 5));
  await endJob(db, id);
  const { seen, done } = follow(db, wakeups, id, { after: 2 });
  await done;
  expect(seen.map(({ seq }) => seq)).toEqual([3, 4]);
});

test('a line is heard of at once, long before the next look', async ({ db, wakeups }) => {
  const { id } = await insertJob(db);
  const write = writerOf(db, id);
  await write(['first']);
  const { seen, done } = follow(db, wakeups, id);
  await waitFor('the first line', () => seen.length === 1);
  const latencies: number[] = [];
  for (let round = 2; round < 12; round++) {
    const startMs = performance.now();
    await write(['next']);
    while (seen.length < round) await new Promise((resolve) => setImmediate(resolve));
    latencies.push(performance.now() - startMs);
  }
  await endJob(db, id);
  await done;
  expect(latencies.toSorted((a, b) => a - b)[5]).toBeLessThan(500);
});

test('without notifications it looks for itself', async ({ db }) => {
  const { id } = await insertJob(db);
  const deaf = createWakeups({ on: () => Promise.reject(new Error('no connection')), close: async () => undefined });
  const { seen, done } = follow(db, deaf, id);
  await writerOf(db, id)(['a']);
  await endJob(db, id);
  await done;
  expect(seen.map(({ text }) => text)).toEqual(['a']);
});

test('it ends when nobody wants it any more', async ({ db, wakeups }) => {
  const { id } = await insertJob(db);
  const controller = new AbortController();
  const { done } = follow(db, wakeups, id, { signal: controller.signal });
  controller.abort();
  await done;
});

test('of many followers of a busy job each sees every line once', async ({ db, wakeups }) => {
  const { id } = await insertJob(db);
  const write = writerOf(db, id);
  const followers = Array.from({ length: 8 }, () => follow(db, wakeups, id));
  for (let first = 0; first < 500; first += 10) await write(numbered(first, 10));
  await endJob(db, id);
  await Promise.all(followers.map(({ done }) => done));
  for (const { seen } of followers) expect(seen.map(({ text }) => text)).toEqual(numbered(0, 500));
});

test('an event that was committed after a later one is not lost', async ({ db, wakeups }) => {
  const { id } = await insertJob(db);
  const event = (type: string) => ({
    jobId: id,
    at,
    type,
    attempt: 1,
    from: null,
    to: null,
    reason: null,
    message: '',
  });
  const { seen, done } = collect(
    followEvents({ db, wakeups }, { jobId: id, after: -1, signal: new AbortController().signal }),
  );
  await db.transaction(async (slow) => {
    await recordEvent(slow, event('slow'));
    await db.transaction((quick) => recordEvent(quick, event('quick')));
    await waitFor('the quick event', () => seen.length === 1);
  });
  await waitFor('the slow event', () => seen.length === 2);
  await endJob(db, id);
  await done;
  expect(seen.map(({ type }) => type)).toEqual(['quick', 'slow', 'job.succeeded']);
});
