import { afterEach, beforeEach, describe, test } from 'vitest';
import { createDatabase } from '../support/database.ts';
import { createInstallation, ended, type Client, type Installation } from '../support/service.ts';
import { waitFor } from '../support/wait.ts';
import { countingJob, expectRunOnce } from './counting-job.ts';

describe('kill -9 of the service', () => {
  let installation: Installation;
  let drop: () => Promise<void>;
  let alice: Client;

  beforeEach(async () => {
    const database = await createDatabase();
    drop = database.drop;
    installation = await createInstallation({ databaseUrl: database.url });
  });
  afterEach(async () => {
    await installation.remove();
    await drop();
  });

  const steps = 30;
  const moments: [string, (id: string) => Promise<unknown>][] = [
    ['right after it accepted the job', async () => undefined],
    ['while the job is provisioning', (id) => alice.until(id, ['provisioning', 'running', 'succeeded'])],
    ['as soon as the job is running', (id) => alice.until(id, ['running', 'succeeded'])],
    [
      'in the middle of its log',
      (id) => waitFor('half of the log', async () => (await alice.log(id)).length > steps / 2),
    ],
    ['while the job is stopping', (id) => alice.until(id, ['stopping', 'succeeded'])],
    ['after the job has ended', (id) => alice.until(id, ended)],
  ];

  test.each(moments)(
    '%s: the job finishes once, with its whole log',
    async (_name, moment) => {
      const first = await installation.start();
      alice = await installation.tenant('alice');
      const { id } = await alice.submit(countingJob(steps));
      await moment(id);
      await first.kill('SIGKILL');

      await installation.start();
      await alice.until(id, ended);
      await expectRunOnce(alice, id, steps);
    },
    180_000,
  );
});
