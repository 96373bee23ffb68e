import { expect, test } from 'vitest';
import { createDatabase } from '../support/database.ts';
import { createInstallation, ended } from '../support/service.ts';

/** Takes so long to end when it is asked to. */
const ending = (seconds: number) => `trap 'sleep ${seconds}; exit 1' TERM; while :; do sleep 0.05; done`;

test('a service that leaves starts no more jobs, and those that wait are as they were', async () => {
  const { url, drop } = await createDatabase();
  const installation = await createInstallation({
    databaseUrl: url,
    config: { providers: { local: { cpus: 2, memoryGiB: 2 } } },
    timing: { retryBackoffSeconds: 0.05 },
  });
  try {
    const first = await installation.start();
    const alice = await installation.tenant('alice');
    const submit = async (seconds: number) => {
      const resources = { cpus: 1, memoryGiB: 0.25, diskGiB: 0.25 };
      return (await alice.submit({ name: 'ending', command: ending(seconds), resources })).id;
    };
    // The place of the first is free while the second still ends.
    const ids = [await submit(0), await submit(1.5), await submit(0), await submit(0)];
    for (const id of ids.slice(0, 2)) await alice.until(id, ['running']);
    await first.kill('SIGTERM');

    await installation.start('api');
    const jobs = await Promise.all(ids.map((id) => alice.job(id)));
    expect(jobs.map(({ attempts }) => attempts.length)).toEqual([1, 1, 0, 0]);
    for (const id of ids) await alice.post(`/v1/jobs/${id}/cancel`);
    await installation.start('worker');
    for (const id of ids) expect((await alice.until(id, ended)).state).toBe('cancelled');
  } finally {
    await installation.remove();
    await drop();
  }
}, 180_000);
