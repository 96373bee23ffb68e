import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase } from '../support/database.ts';
import { createInstallation, type Client, type Installation } from '../support/service.ts';

const root = join(import.meta.dirname, '../..');
const session = join(root, 'infra/examples/python-client/session.py');
const execute = promisify(execFile);

let directory: string;
let installation: Installation;
let drop: () => Promise<void>;
let alice: Client;

/** The commands of the program's first lines, with pip's packages in a directory that is removed. */
async function generateClient(): Promise<void> {
  const pip = ['-m', 'pip', 'install', '--quiet', '--break-system-packages', '--target', directory];
  await execute('python3', [...pip, 'openapi-python-client==0.29.1']);
  const generated = ['--path', join(root, 'openapi.yaml'), '--output-path', join(directory, 'weir_client')];
  await python(['-m', 'openapi_python_client', 'generate', '--meta', 'none', ...generated]);
}

const python = (words: string[], env: Record<string, string> = {}) =>
  execute('python3', words, { env: { ...process.env, PYTHONPATH: directory, ...env } });

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'weir-python-client-'));
  const database = await createDatabase();
  drop = database.drop;
  installation = await createInstallation({ databaseUrl: database.url });
  await Promise.all([generateClient(), installation.start()]);
  alice = await installation.tenant('alice');
}, 180_000);
afterAll(async () => {
  await installation.remove();
  await drop();
  await rm(directory, { recursive: true });
});

test('a Python program takes a job from its quote to its bill, with a client generated from openapi.yaml', async () => {
  const { stdout } = await python([session], { WEIR_URL: installation.url, WEIR_KEY: alice.key });
  expect(stdout).toMatch(
    /^quote {5}local: \d+ s, \$[\d.]+ to \$[\d.]+\njob {7}job_\w+\nqueued\n[^]*running \d+\/20\n[^]*succeeded\nlog /,
  );
  expect(stdout.match(/^log .*$/gm)).toContain('log       weir progress 20/20 epochs');
  expect(stdout).toMatch(/^artifact {2}out\/loss\.csv: \d+ bytes, ends with 20,0\.\d+$/m);
  const [, jobId = ''] = /^job {7}(\w+)$/m.exec(stdout) ?? [];
  const { cost } = await alice.job(jobId);
  expect(stdout).toContain(`cost      $${cost.finalUsd?.toFixed(6)}, quoted $`);
  const charged = [...stdout.matchAll(/^bill {6}charge \$([\d.]+): \w/gm)].map(([, usd]) => Number(usd));
  expect(charged.reduce((sum, usd) => sum + usd, 0)).toBeCloseTo(cost.finalUsd ?? 0, 6);
});

test('what is wrong is told in the server’s words', async () => {
  const failed = await python([session], { WEIR_URL: installation.url, WEIR_KEY: 'weir_unknown' }).catch(
    (error: { code: number; stderr: string }) => error,
  );
  expect(failed).toMatchObject({ code: 1, stderr: expect.stringMatching(/^[^\n]*key[^\n]*\n$/) });
});
