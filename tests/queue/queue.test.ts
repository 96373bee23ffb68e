import { expect } from 'vitest';
import { test as base } from '../support/database.ts';
import { waitFor } from '../support/wait.ts';
import { createQueues, steps } from '../../src/queue/queue.ts';
import { describeQueues, type Place } from './describe-queues.ts';

const test = base.extend<{ place: Place }>({
  place: async ({ db }, use) => {
    const flush = async () =>
      void (await db.pool.query('TRUNCATE bullmq.job, bullmq.dedup, bullmq.dedup_next CASCADE'));
    await use({ databaseUrl: db.url, redisUrl: undefined, flush });
  },
});

describeQueues(test);

const countConnections = `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`;

test('processes that start together make the tables once', async ({ db }) => {
  const open = () => createQueues({ databaseUrl: db.url, redisUrl: undefined, onError: () => undefined });
  const all = await Promise.all([open(), open(), open()]);
  expect(await Promise.all(all.map((queues) => queues.isReady()))).toEqual([true, true, true]);
  await Promise.all(all.map((queues) => queues.close()));
});

test('a resting worker keeps few connections, and none when closed', async ({ db }) => {
  const queues = await createQueues({ databaseUrl: db.url, redisUrl: undefined, onError: () => undefined });
  for (const step of steps) queues.work(step, 8, async () => undefined);
  await queues.wake({ step: 'launch', id: 'a', version: 1 });
  const connections = async () => (await db.pool.query<{ n: number }>(countConnections)).rows[0]?.n ?? 0;
  await waitFor('the listeners', async () => (await connections()) > steps.length);
  expect(await connections()).toBeLessThanOrEqual(steps.length + 5);
  await queues.close();
  await waitFor('all connections to end', async () => (await connections()) === 0);
});

test('a worker whose connections break hears again', async ({ db }) => {
  const handled: string[] = [];
  const queues = await createQueues({ databaseUrl: db.url, redisUrl: undefined, onError: () => undefined });
  queues.work('launch', 1, async (id) => void handled.push(id));
  await queues.wake({ step: 'launch', id: 'before', version: 1 });
  await waitFor('the first', () => handled.includes('before'));
  await db.pool.query(
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
  );
  await waitFor('the second', async () => {
    await queues.wake({ step: 'launch', id: 'after', version: 1 });
    return handled.includes('after');
  });
  await queues.close();
});
