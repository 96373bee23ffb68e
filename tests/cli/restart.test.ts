import { expect, test } from 'vitest';
import { createDatabase } from '../support/database.ts';
import { createInstallation } from '../support/service.ts';
import { createCommand, spec } from './command.ts';

test('a log is followed across a restart of the API, without a gap', async () => {
  const database = await createDatabase();
  const installation = await createInstallation({ databaseUrl: database.url });
  await installation.start('worker', installation.port + 1);
  const api = await installation.start('api');
  const { key, until } = await installation.tenant('vision');
  const weir = await createCommand({ WEIR_URL: installation.url, WEIR_KEY: key });

  const counting = spec({ command: 'for i in $(seq 40); do echo line $i; sleep 0.1; done' });
  const id = (await weir.run(['submit', '-', '--yes'], { stdin: counting })).stdout.trim();
  await until(id, ['running']);
  const following = weir.run(['logs', '-f', id]);
  await api.kill('SIGKILL');
  await installation.start('api');

  const { code, stdout } = await following;
  expect(code).toBe(0);
  expect(stdout.trim().split('\n')).toEqual(Array.from({ length: 40 }, (_none, index) => `line ${index + 1}`));
  await weir.remove();
  await installation.remove();
  await database.drop();
});
