import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test as base } from 'vitest';
import { createDatabase } from '../support/database.ts';
import { createInstallation, type Client, type Installation } from '../support/service.ts';

export type Ended = { code: number | null; stdout: string; stderr: string };

/** `heard` is called with all of stdout so far, each time there is more. */
type Options = { stdin?: string; env?: Record<string, string>; heard?: (stdout: string) => void };

/** The command as a user has it, in a directory and with a configuration of its own. */
export type Weir = {
  directory: string;
  env: Record<string, string>;
  run: (given: string[], options?: Options) => Promise<Ended>;
  write: (path: string, text: string) => Promise<void>;
};

const program = join(import.meta.dirname, '../../infra/cli/weir.ts');

export async function createCommand(env: Record<string, string> = {}): Promise<Weir & { remove: () => Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'weir-cli-'));
  const own = { PATH: process.env['PATH'] ?? '', HOME: directory, XDG_CONFIG_HOME: join(directory, 'config'), ...env };
  return {
    directory,
    env: own,
    run: (given, options = {}) => run(given, directory, { ...options, env: { ...own, ...options.env } }),
    write: (path, text) => writeFile(join(directory, path), text),
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}

function run(given: string[], cwd: string, { env = {}, stdin = '', heard }: Options): Promise<Ended> {
  const child = spawn(process.execPath, [program, ...given], { cwd, env, stdio: 'pipe' });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].on('data', (chunk: Buffer) => {
      said[name] += chunk.toString();
      heard?.(said.stdout);
    });
  child.stdin.on('error', () => undefined).end(stdin);
  return new Promise((resolve, reject) => {
    child.once('error', reject).once('close', (code) => resolve({ code, ...said }));
  });
}

/** A spec that needs little and ends soon; JSON is YAML too. */
export function spec(fields: object): string {
  return JSON.stringify({
    name: 'hello',
    command: 'echo hello',
    resources: { cpus: 1, memoryGiB: 1, diskGiB: 1 },
    maxDuration: '1m',
    ...fields,
  });
}

type Fixtures = { installation: Installation; vision: Client; weir: Weir; operator: Weir };

/** vitest's `test` with a running service, a tenant called vision, and the command with its admin's key and the operator's. */
export const test = base.extend<Fixtures>({
  installation: [
    // eslint-disable-next-line no-empty-pattern
    async ({}, use) => {
      const database = await createDatabase();
      const installation = await createInstallation({ databaseUrl: database.url });
      await installation.start();
      await use(installation);
      await installation.remove();
      await database.drop();
    },
    { scope: 'file' },
  ],
  vision: [async ({ installation }, use) => use(await installation.tenant('vision')), { scope: 'file' }],
  weir: async ({ installation: { url }, vision: { key } }, use) => {
    const weir = await createCommand({ WEIR_URL: url, WEIR_KEY: key });
    await use(weir);
    await weir.remove();
  },
  operator: async ({ installation: { url, operator }, vision: _vision }, use) => {
    const weir = await createCommand({ WEIR_URL: url, WEIR_KEY: operator.key });
    await use(weir);
    await weir.remove();
  },
});
