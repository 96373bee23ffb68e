import { expect } from 'vitest';
import { spec } from '../support/installed-command.ts';
import { waitFor } from '../support/wait.ts';
import { test } from './command.ts';

test('an operator makes a tenant and its key, and the key signs in', async ({ operator, installation: { url } }) => {
  const made = await operator.run(['tenants', 'create', 'speech']);
  expect(made).toMatchObject({ code: 0, stderr: '' });
  expect(made.stdout).toMatch(/^tnt_\w+\n$/);
  const { stdout: key } = await operator.run([
    'keys',
    'create',
    '--tenant',
    'speech',
    '--role',
    'admin',
    '--label',
    'laptop',
  ]);
  const env = { WEIR_KEY: key.trim() };
  const rows = (await operator.run(['keys', 'ls'], { env })).stdout
    .trim()
    .split('\n')
    .map((row) => row.split('\t'));
  expect(rows.map(([, role, label]) => [role, label])).toEqual([['admin', 'laptop']]);

  const viewer = await operator.run(['keys', 'create', '--role', 'viewer', '--json'], { env });
  const { id, key: viewing } = JSON.parse(viewer.stdout) as { id: string; key: string };
  expect((await operator.run(['ps'], { env: { WEIR_KEY: viewing } })).code).toBe(0);
  expect(await operator.run(['keys', 'revoke', id], { env })).toMatchObject({ code: 0, stdout: `Revoked ${id}\n` });
  expect(await operator.run(['ps'], { env: { WEIR_KEY: viewing, WEIR_URL: url } })).toMatchObject({
    code: 3,
    stdout: '',
  });
});

test('a policy that was got can be set again, and its faults are shown at their lines', async ({ operator }) => {
  const policy = 'weight: 2\nbudget:\n  monthlyUsd: 500\n';
  expect(await operator.run(['policy', 'set', '-', '--tenant', 'vision'], { stdin: policy })).toMatchObject({
    code: 0,
  });
  const { stdout } = await operator.run(['policy', 'get', '--tenant', 'vision']);
  expect(stdout.split('\n').sort()).toEqual(policy.split('\n').sort());
  expect((await operator.run(['policy', 'set', '-', '--tenant', 'vision'], { stdin: stdout })).code).toBe(0);
  const { code, stderr } = await operator.run(['policy', 'set', '-', '--tenant', 'vision'], {
    stdin: 'weight: 1\nbudgt: {}\n',
  });
  expect(code).toBe(1);
  expect(stderr).toContain('stdin:2:8 /budgt: ');
  expect((await operator.run(['policy', 'set', '-', '--pool', '--json'], { stdin: 'hhiCeiling: 0.5' })).stdout).toBe(
    '{"hhiCeiling":0.5}\n',
  );
  expect((await operator.run(['policy', 'get', '--pool'])).stdout).toBe('hhiCeiling: 0.5\n');
  await operator.run(['policy', 'set', '-', '--pool'], { stdin: '{}' });
});

test('who used what, and what it cost, in rows and as the API has it', async ({ weir, operator }) => {
  expect((await weir.run(['submit', '-', '--yes', '--wait'], { stdin: spec({}) })).code).toBe(0);
  expect((await weir.run(['shares'])).stdout).toMatch(/^vision\t100\.0 %\t/);
  expect(JSON.parse((await operator.run(['shares', '--window', '24h', '--json'])).stdout)).toMatchObject({
    unit: 'PFLOP/s-days',
    concentration: { hhi: 1 },
  });
  const month = new Date().toISOString().slice(0, 7);
  expect((await operator.run(['shares', '--month', month])).code).toBe(0);
  expect(await weir.run(['shares', '--window', 'soon'])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('  --window: '),
  });
  const kinds = (await weir.run(['statement'])).stdout
    .trim()
    .split('\n')
    .map((row) => row.split('\t')[1]);
  expect(new Set(kinds)).toEqual(new Set(['reserve', 'charge', 'release']));
  const newest = (await operator.run(['statement', '--tenant', 'vision', '--limit', '1'])).stdout.trim().split('\n');
  expect(newest.map((row) => row.split('\t')[1])).toEqual(['release']);
});

test('offers are what can be bought, of one kind where one is named', async ({ weir }) => {
  expect((await weir.run(['offers'])).stdout).toMatch(/\tlocal\t.*\ton-demand\t\d+\t\$/);
  expect((await weir.run(['offers', '--accelerator', 'B200', '--json'])).stdout).toBe(
    '{"items":[],"nextCursor":null}\n',
  );
});

test('a policy is previewed and jobs are simulated; faults are shown in the file', async ({ weir, operator }) => {
  await weir.run(['submit', '-', '--yes', '--wait'], { stdin: spec({}) });
  const preview = (stdin: string, ...flags: string[]) =>
    operator.run(['policy', 'preview', '-', '--tenant', 'vision', ...flags], { stdin });
  const rows = (await preview('caps: { runningJobs: 1 }')).stdout
    .trim()
    .split('\n')
    .map((row) => row.split('\t'));
  expect(rows.find(([name]) => name === 'jobs')).toEqual([
    'jobs',
    ...Array<string>(3).fill(expect.stringMatching(/^[1-9]/)),
  ]);
  expect(rows.find(([name, figure]) => name === 'vision' && figure === 'share')).toHaveLength(5);
  expect(JSON.parse((await preview('{}', '--json', '--last', '1d')).stdout)).toMatchObject({
    recorded: { unstarted: 0 },
    asIs: { unstarted: 0 },
    under: { unstarted: 0 },
  });
  expect(await preview('weight: 1\ncap: 2\n')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('stdin:2:6 /cap: '),
  });
  expect((await operator.run(['simulate', '--last', '1d'])).stdout).toMatch(/^jobs\t(\d+)\t\1\n/);
  expect(await operator.run(['simulate', '--last', 'soon'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--last: "soon"'),
  });
});

test('secrets are kept by a pipe and never shown; who did it is in the audit', async ({ weir, operator }) => {
  expect(await weir.run(['secrets', 'set', 'HF_TOKEN'], { stdin: 'hf_1 \n' })).toMatchObject({
    code: 0,
    stdout: 'Kept HF_TOKEN\n',
  });
  expect((await weir.run(['secrets', 'ls'])).stdout).toMatch(/^HF_TOKEN\t/);
  const using = spec({ name: 'secret', command: 'test "$HF_TOKEN" = "hf_1 "', secrets: ['HF_TOKEN'] });
  expect((await weir.run(['submit', '-', '--yes', '--wait'], { stdin: using })).code).toBe(0);
  expect(await weir.run(['secrets', 'set', 'bad-name'], { stdin: 'x' })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('  NAME: '),
  });
  expect((await weir.run(['secrets', 'rm', 'HF_TOKEN'])).code).toBe(0);
  const did = (await operator.run(['audit', '--limit', '2'])).stdout
    .trim()
    .split('\n')
    .map((row) => row.split('\t')[2]);
  expect(did).toEqual(['secret.delete', 'secret.put']);
});

test('what a webhook could not be told is sent again', async ({ weir, installation: { url } }) => {
  // weir itself stands at a private address, which webhooks are not sent to.
  const job = spec({ name: 'hooked', webhooks: [{ url: `${url}/hook`, events: ['job.finished'] }] });
  expect((await weir.run(['submit', '-', '--yes', '--wait'], { stdin: job })).code).toBe(0);
  const deliveries = async () =>
    (await weir.run(['webhooks', 'ls', 'hooked'])).stdout
      .trim()
      .split('\n')
      .map((row) => row.split('\t'));
  const [first] = await waitFor('the delivery to be tried', async () => {
    const rows = await deliveries();
    return rows[0]?.[3] !== '0' && rows;
  });
  expect(first?.[1]).toBe('job.finished');
  expect(await weir.run(['webhooks', 'replay', 'hooked', first?.[0] ?? ''])).toMatchObject({
    code: 0,
    stdout: `${first?.[0]}\n`,
  });
  expect((await weir.run(['webhooks', 'secret'])).stdout).toMatch(/^whsec_/);
});
