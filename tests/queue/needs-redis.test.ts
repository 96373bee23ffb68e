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
  expect(await queues.isReady()).toBe(true);
  await queues.wake({ step: 'launch', id: 'a', version: 1 });
  await redis.stop();
  await waitFor('ready to say no', async () => !(await queues.isReady()));
  const asked = performance.now();
  await queues.wake({ step: 'launch', id: 'b', version: 1 });
  expect(performance.now() - asked).toBeLessThan(1_000);
  expect(errors.length).toBeGreaterThan(0);
  await queues.close();
});
