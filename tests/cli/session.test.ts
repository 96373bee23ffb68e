import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect } from 'vitest';
import { waitFor } from '../support/wait.ts';
import { createCommand } from '../support/installed-command.ts';
import { test as base } from './command.ts';

/** As at the first start: nothing is known. */
const test = base.extend<{ fresh: Awaited<ReturnType<typeof createCommand>> }>({
  fresh: async ({ installed }, use) => {
    const fresh = await createCommand(installed);
    await use(fresh);
    await fresh.remove();
  },
});

test('who is not signed in is told how: exit code 3', async ({ fresh }) => {
  const { code, stdout, stderr } = await fresh.run(['ps']);
  expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
  expect(stderr).toContain('next: weir login --server URL --key KEY');
});

test('login keeps a key that the server knows, for its owner’s eyes only', async ({
  fresh,
  installation: { url },
  vision,
}) => {
  const refused = await fresh.run(['login', '--server', url, '--key', 'weir_unknown']);
  expect(refused).toMatchObject({ code: 3, stdout: '' });
  expect(await fresh.run(['login', '--server', `${url}/`], { stdin: `${vision.key}\n` })).toMatchObject({
    code: 0,
    stdout: `Signed in to ${url} as vision.\n`,
  });

  const path = join(fresh.directory, '../config/weir/config.json');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({
    current: 'default',
    profiles: { default: { url, key: vision.key, tenant: { id: vision.tenantId, name: 'vision' } } },
  });
  expect(await fresh.run(['policy', 'get'])).toMatchObject({ code: 0, stdout: '{}\n' });
});

test('profiles hold several keys; the last one signed in with is used where none is named', async ({
  fresh,
  installation: { url, operator },
  vision,
}) => {
  await fresh.run(['login', '--server', url, '--key', vision.key]);
  expect((await fresh.run(['tenants', 'ls'])).code).toBe(1);
  const signedIn = await fresh.run(['login', '--server', url, '--key', operator.key, '--profile', 'boss', '--json']);
  expect(JSON.parse(signedIn.stdout)).toEqual({ profile: 'boss', url, tenant: null });
  expect((await fresh.run(['tenants', 'ls'])).stdout).toContain('vision');
  expect((await fresh.run(['tenants', 'ls', '--profile', 'default'])).code).toBe(1);
  expect(await fresh.run(['ps', '--profile', 'other'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('default, boss'),
  });
});

test('WEIR_URL and WEIR_KEY come before the profile, and one server’s key is never shown to another', async ({
  fresh,
  installation: { url, operator },
  vision,
}) => {
  await fresh.run(['login', '--server', url, '--key', vision.key]);
  expect((await fresh.run(['tenants', 'ls'], { env: { WEIR_KEY: operator.key } })).code).toBe(0);

  const asked: string[] = [];
  const stranger = createServer((request, response) => {
    asked.push(String(request.headers.authorization));
    response.end('<html>');
  }).listen(0, '127.0.0.1');
  await once(stranger, 'listening');
  const { port } = stranger.address() as AddressInfo;
  const elsewhere = `http://127.0.0.1:${port}`;
  expect((await fresh.run(['ps'], { env: { WEIR_URL: elsewhere } })).code).toBe(3);
  expect(asked).toEqual([]);
  const { code, stderr } = await fresh.run(['ps'], { env: { WEIR_URL: elsewhere, WEIR_KEY: 'other' } });
  expect({ code, asked }).toEqual({ code: 1, asked: ['Bearer other'] });
  expect(stderr).toContain("not weir's");
  stranger.close();
});

test('a server that is away is said to be away, in one line and the next step', async ({ fresh }) => {
  const { code, stderr } = await fresh.run(['ps'], { env: { WEIR_URL: 'http://127.0.0.1:9', WEIR_KEY: 'a' } });
  expect(code).toBe(1);
  expect(stderr).toMatch(/^weir: weir does not answer at http:\/\/127\.0\.0\.1:9: .+\nnext: .+\n$/);
});

test('a configuration that was damaged is named, not trusted', async ({ fresh, installation: { url }, vision }) => {
  await fresh.run(['login', '--server', url, '--key', vision.key]);
  await fresh.write('../config/weir/config.json', '{"profiles": 1}');
  expect(await fresh.run(['ps'])).toMatchObject({ code: 2, stderr: expect.stringContaining('config.json') });
});

test('help comes without a server, in little more time than Node itself needs', async ({ fresh }) => {
  expect(await fresh.run(['--help'])).toMatchObject({ code: 0, stdout: expect.stringContaining('Exit codes: 0 done') });
  expect((await fresh.run([])).stdout).toContain('submit');
  const bestMs = { node: Infinity, help: Infinity };
  // A moment in which the machine has nothing else to do is enough.
  await waitFor('help to come in five times the time of an empty program', async () => {
    const startMs = performance.now();
    spawnSync(fresh.words[0], ['--eval', '0']);
    const betweenMs = performance.now();
    await fresh.run(['--help']);
    bestMs.node = Math.min(bestMs.node, betweenMs - startMs);
    bestMs.help = Math.min(bestMs.help, performance.now() - betweenMs);
    return bestMs.help < 5 * bestMs.node;
  });
});

test('whoami says whose key is used; logout forgets it', async ({ fresh, installation: { url }, vision }) => {
  await fresh.run(['login', '--server', url, '--key', vision.key, '--profile', 'work']);
  const env = { WEIR_PROFILE: 'work' };
  expect((await fresh.run(['whoami'], { env })).stdout).toMatch(/^tenant\tvision \(tnt_\w+\)\nrole\tadmin$/m);
  expect(JSON.parse((await fresh.run(['whoami', '--json'])).stdout)).toMatchObject({ url, role: 'admin' });
  expect((await fresh.run(['logout'])).code).toBe(0);
  expect((await fresh.run(['whoami'])).code).toBe(3);
  expect(await fresh.run(['logout'])).toMatchObject({ code: 2, stderr: expect.stringContaining('next: weir whoami') });
});

test('the package is plain JavaScript without dependencies, and says its version', async ({ fresh, installed }) => {
  const root = join(installed.directory, 'lib/node_modules/weir-cli');
  const { dependencies, version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  expect(dependencies).toBeUndefined();
  const files = (await readdir(root, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  expect(
    files.map(({ name }) => name).filter((name) => !/\.(mjs|json|md)$|^(THIRD-PARTY-)?LICENSES?$/.test(name)),
  ).toEqual([]);
  expect(await readFile(join(root, 'dist/package/THIRD-PARTY-LICENSES'), 'utf8')).toMatch(/commander [\d.]+ \(MIT\)/);
  expect((await fresh.run(['--version'])).stdout).toBe(`${version}\n`);
});
