import { afterAll } from 'vitest';
import { startRedis } from '../support/redis.ts';
import { describeJourneys } from './describe-journeys.ts';

const redis = await startRedis();
afterAll(redis.stop);

describeJourneys('Redis', () => redis.url);
