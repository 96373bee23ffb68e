import { expect, test as base } from 'vitest';
import { createQueues } from '../../src/queue/queue.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';
import { waitFor } from '../support/wait.ts';
import { describeQueues, type Place } from './describe-queues.ts';

const test = base.extend<{ redis: RedisServer; place: Place }>({
  // eslint-disable-next-line no-empty-pattern
  redis: async ({}, use) => {
    const redis = await startRedis();
    await use(redis);
    await redis.stop();
  },
  place: async ({ redis }, use) => {
    await use({ databaseUrl: 'postgresql://nobody@127.0.0.1:1/none', redisUrl: redis.url, flush: redis.flush });
  },
});

describeQueues(test);

test('with Redis gone a wake-up does not fail and does not wait, and ready says no', async ({ redis, place }) => {
  const errors: unknown[] = [];
  const queues = await createQueues({ ...place, onError: (error) => errors.push(error) });
  const handled: string[] = [];
  queues.work('launch', 1, async (id) => void handled.push(id));
  await queues.wake({ step: 'launch', id: 'a', version: 1 });
  await waitFor('the first', () => handled.includes('a'));
  await redis.stop();
  await waitFor('ready to say no', async () => !(await queues.isReady()));
  const asked = performance.now();
  await queues.wake({ step: 'launch', id: 'b', version: 1 });
  expect(performance.now() - asked).toBeLessThan(1_000);
  expect(errors.length).toBeGreaterThan(0);
  const closing = performance.now();
  await queues.close();
  expect(performance.now() - closing).toBeLessThan(9_000);
});

test('a Redis that is not there is named at the start', async ({ place }) => {
  const opening = createQueues({ ...place, redisUrl: 'redis://127.0.0.1:1', onError: () => undefined });
  await expect(opening).rejects.toThrow('REDIS_URL');
});

test('a worker whose Redis comes back hears again', async ({ redis, place }) => {
  const handled: string[] = [];
  const queues = await createQueues({ ...place, onError: () => undefined });
  queues.work('launch', 1, async (id) => void handled.push(id));
  await queues.wake({ step: 'launch', id: 'before', version: 1 });
  await waitFor('the first', () => handled.includes('before'));
  await redis.restart();
  await waitFor('the second', async () => {
    await queues.wake({ step: 'launch', id: 'after', version: 1 });
    return handled.includes('after');
  });
  await queues.close();
});
