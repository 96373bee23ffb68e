import { afterAll, expect, onTestFinished, test } from 'vitest';
import type { Job } from '../../src/protocol/job.ts';
import { createDatabase } from '../support/database.ts';
import { freePort } from '../support/free-port.ts';
import { processesOf } from '../support/processes.ts';
import { startRedis } from '../support/redis.ts';
import { createClient, createInstallation, ended } from '../support/service.ts';
import { waitFor } from '../support/wait.ts';
import { countingJob, expectRunOnce } from './counting-job.ts';

const redis = await startRedis();
afterAll(redis.stop);

const steps = 40;

/** Six jobs at a time, so that others wait. */
const config = { providers: { local: { cpus: 1.5, memoryGiB: 4, diskGiB: 4 } } };

test('two APIs and three workers on one Redis: one of each is killed, Redis is emptied and restarted, and every job runs once', async () => {
  const database = await createDatabase();
  const installation = await createInstallation({ databaseUrl: database.url, redisUrl: redis.url, config });
  onTestFinished(async () => {
    await installation.remove();
    await database.drop();
  });
  const ports = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const [first, second, ...workers] = await Promise.all([
    installation.start('api'),
    ...ports.map((port, index) => installation.start(index === 0 ? 'api' : 'worker', port)),
  ]);
  const alice = await installation.tenant('alice');
  const survivor = createClient(second?.url ?? '', alice.key, alice.tenantId);
  const submit = async (clients: (typeof alice)[]) => {
    for (const client of clients) ids.push((await client.submit(countingJob(steps))).id);
  };
  const count = async (...states: Job['state'][]) => {
    const jobs = await Promise.all(ids.map((id) => survivor.job(id)));
    return jobs.filter(({ state }) => states.includes(state)).length;
  };
  const ids: string[] = [];

  await submit(Array.from({ length: 4 }, () => [alice, survivor]).flat());
  await waitFor('jobs to run', async () => (await count('running')) >= 3);
  // The API that the runners know: they keep what they have to say until its supervisor has started it again.
  await Promise.all([first.kill('SIGKILL'), workers[0]?.kill('SIGKILL')]);
  await submit([survivor, survivor, survivor, survivor]);
  await installation.start('api');

  await waitFor('a third to have ended', async () => (await count(...ended)) >= 4);
  expect(await count('queued', 'provisioning', 'running')).toBeGreaterThan(0);
  await redis.flush();
  await waitFor('half to have ended', async () => (await count(...ended)) >= 6);
  await redis.restart();
  await waitFor('all to have ended', async () => (await count(...ended)) === ids.length, 60_000);

  const runners = processesOf(`${installation.dataDir}/instances`);
  expect(runners).toEqual([]);
  for (const [index, id] of ids.entries()) await expectRunOnce([alice, survivor][index % 2] ?? alice, id, steps);
});
