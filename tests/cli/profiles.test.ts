import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { commandFromSources, sendJson, serve } from './stub-server.ts';

const me = { tenant: { id: 'tnt_1', name: 'vision' }, role: 'admin', key: null };

/** The command signed in to production, and the keys that the server has been shown. */
async function signedIn() {
  const keys: (string | undefined)[] = [];
  const url = await serve((request, response) => {
    keys.push(request.headers.authorization?.replace('Bearer ', ''));
    sendJson(response, 200, me);
  });
  const weir = await commandFromSources();
  const login = (key: string, given: string[] = [], env: Record<string, string> = {}) =>
    weir.run(['login', '--server', url, '--key', key, ...given], { env });
  const kept = async () => {
    const text = await readFile(join(weir.directory, '../config/weir/config.json'), 'utf8');
    const { current, profiles } = JSON.parse(text) as { current: string; profiles: Record<string, { key: string }> };
    return { current, keys: Object.fromEntries(Object.entries(profiles).map(([name, { key }]) => [name, key])) };
  };
  await login('live', ['--profile', 'production']);
  return { weir, login, kept, keys, url };
}

const staging = { WEIR_PROFILE: 'staging' };

test('WEIR_PROFILE names the profile of login, whoami and logout too, and leaves the others as they are', async () => {
  const { weir, login, kept } = await signedIn();
  expect(await login('test', [], staging)).toMatchObject({ code: 0 });
  expect(await kept()).toEqual({ current: 'production', keys: { production: 'live', staging: 'test' } });
  expect((await weir.run(['whoami'], { env: staging })).stdout).toContain('production, staging (in use)');
  expect((await weir.run(['whoami', '--profile', 'production'], { env: staging })).stdout).toContain(
    'production (in use)',
  );
  expect(await weir.run(['logout'], { env: staging })).toMatchObject({ code: 0 });
  expect(await kept()).toEqual({ current: 'production', keys: { production: 'live' } });
  expect(await weir.run(['logout'], { env: staging })).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('no profile staging'),
  });
});

test('a profile that a flag names comes before WEIR_URL and WEIR_KEY, these before all others', async () => {
  const { weir, login, keys, url } = await signedIn();
  await login('test', [], staging);
  keys.length = 0;
  const env = { WEIR_KEY: 'own', WEIR_URL: url };
  const { stdout } = await weir.run(['whoami'], { env: { ...env, ...staging } });
  expect(stdout).not.toContain('in use');
  await weir.run(['whoami', '--profile', 'staging'], { env: { ...env, WEIR_URL: 'http://127.0.0.1:9' } });
  expect(keys).toEqual(['own', 'test']);
});

test('a key of WEIR_KEY’s that the server does not know is named as that; login says what comes before what it keeps', async () => {
  const { login, url } = await signedIn();
  const refusing = await serve((_request, response) =>
    sendJson(response, 401, {
      type: '/problems/unauthorized',
      title: 'No',
      status: 401,
      detail: 'This key is not known.',
    }),
  );
  const weir = await commandFromSources({ WEIR_URL: refusing, WEIR_KEY: 'revoked' });
  expect(await weir.run(['ps'])).toEqual({
    code: 3,
    stdout: '',
    stderr: `weir: WEIR_KEY holds a key that ${refusing} does not know.\nnext: set another one, or unset WEIR_KEY to use what weir login keeps\n`,
  });
  expect(JSON.parse((await weir.run(['ps', '--json'])).stderr)).toMatchObject({ detail: 'This key is not known.' });
  expect((await login('test', [], { WEIR_KEY: 'a', WEIR_URL: url })).stderr).toBe(
    'WEIR_URL and WEIR_KEY, which the environment sets, will come before what is kept.\n',
  );
});
