import { expect, onTestFinished, test } from 'vitest';
import { createDatabase } from '../support/database.ts';
import { createInstallation } from '../support/service.ts';
import { waitFor } from '../support/wait.ts';
import { createCommand, fromSources, spec } from '../support/installed-command.ts';

test('a log is followed across a restart of the API, without a gap', async () => {
  const database = await createDatabase();
  onTestFinished(database.drop);
  const installation = await createInstallation({ databaseUrl: database.url });
  onTestFinished(installation.remove);
  await installation.start('worker', installation.port + 1);
  const api = await installation.start('api');
  const { key } = await installation.tenant('vision');
  const weir = await createCommand(fromSources, { WEIR_URL: installation.url, WEIR_KEY: key });
  onTestFinished(weir.remove);

  const counting = spec({ command: 'for i in $(seq 40); do echo line $i; sleep 0.1; done' });
  const id = (await weir.run(['submit', '-', '--yes'], { stdin: counting })).stdout.trim();
  let seen = '';
  const following = weir.run(['logs', '-f', id], { heard: (stdout) => (seen = stdout) });
  await waitFor('the first line', () => seen.includes('line 1\n'));
  await api.kill('SIGKILL');
  await installation.start('api');

  const { code, stdout } = await following;
  expect(code).toBe(0);
  expect(stdout.trim().split('\n')).toEqual(Array.from({ length: 40 }, (_none, index) => `line ${index + 1}`));
});
