import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createDatabase } from '../support/database.ts';
import { processesOf } from '../support/processes.ts';
import { spooledLines } from '../support/runner-process.ts';
import { createInstallation, ended, type Client } from '../support/service.ts';
import { waitFor } from '../support/wait.ts';

const lines = 2000;

/** Prints its lines once the service is gone, and then waits to be killed; its second attempt has nothing to do. */
const program = `
if (process.env.WEIR_ATTEMPT === '2') return console.log('again');
console.log('up');
const print = () => {
  for (let line = 1; line <= ${lines}; line++) console.log('line ' + line);
  setInterval(() => undefined, 1000);
};
const wait = () => fetch(process.env.BROKER).then(() => setTimeout(wait, 50), print);
wait();`;

test('weir and then a runner are killed, most of the log unsent: started again, it is whole, and the job goes on', async () => {
  const database = await createDatabase();
  onTestFinished(database.drop);
  const installation = await createInstallation({ databaseUrl: database.url });
  onTestFinished(installation.remove);
  const service = await installation.start();
  const alice = await installation.tenant('alice');
  const { id } = await alice.submit({
    name: 'long-log',
    command: 'node print.cjs',
    files: { 'print.cjs': program },
    env: { BROKER: `${installation.url}/healthz` },
    resources: { cpus: 0.25, memoryGiB: 0.25, diskGiB: 0.25 },
  });
  await waitFor('the first line', async () => (await alice.log(id)).length > 0);
  await service.kill('SIGKILL');

  const instances = join(installation.dataDir, 'instances');
  const [name = ''] = await readdir(instances);
  await waitFor('the lines to be on disk', async () => (await spooledLines(join(instances, name, 'state'))) >= lines);
  const [runner] = processesOf(join(instances, name, 'boot.json'));
  process.kill(runner?.pid ?? 0, 'SIGKILL');

  await installation.start();
  const { state, attempts } = await alice.until(id, ended, 60_000);
  expect(state).toBe('succeeded');
  expect(attempts).toMatchObject([{ reason: 'instance-vanished' }, { reason: 'completed' }]);
  const numbered = Array.from({ length: lines }, (_, index) => `line ${index + 1}`);
  expect(await textOf(alice, id)).toEqual(['up', ...numbered, 'again']);
  await waitFor('nothing to be left of it', async () => processesOf(instances).length === 0);
}, 180_000);

async function textOf(client: Client, id: string): Promise<string[]> {
  const { body } = await client.call('GET', `/v1/jobs/${id}/logs`, undefined, { accept: 'text/plain' });
  return String(body).trimEnd().split('\n');
}
