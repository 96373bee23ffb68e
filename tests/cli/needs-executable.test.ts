import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, vi } from 'vitest';
import { test } from './command.ts';

// Putting the executable together takes from 5 to 20 s, as the disk allows: it copies and strips Node.
vi.setConfig({ testTimeout: 180_000 });

const root = join(import.meta.dirname, '../..');
const execute = promisify(execFile);

test('the single executable helps, says its version and asks the service, on a machine without Node', async ({
  weir,
}) => {
  const built = await execute(process.execPath, [join(root, 'infra/cli/build-executable.ts')]);
  const executable = built.stdout.trim();
  const { PATH: _path, ...env } = weir.env;
  const say = async (...words: string[]) => (await execute(executable, words, { cwd: weir.directory, env })).stdout;

  expect(await say('--help')).toContain('Usage: weir');
  const { version } = JSON.parse(await readFile(join(root, 'infra/cli/package.json'), 'utf8')) as { version: string };
  expect(await say('--version')).toContain(version);
  expect(JSON.parse(await say('whoami', '--json'))).toMatchObject({ tenant: { name: 'vision' } });
});
