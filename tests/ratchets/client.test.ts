import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { root } from './sources.ts';

const run = promisify(execFile);

test('the CLI’s client is what openapi.yaml says: `npm run client` writes it', async () => {
  const checked = run('npm', ['run', '--silent', 'client', '--', '--check'], { cwd: root });
  await expect(checked).resolves.toBeDefined();
});
