import { execFile, spawn } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildPackage } from '../../infra/cli/build-package.ts';

export type Ended = { code: number | null; stdout: string; stderr: string };

/** `heard` is called with all of stdout so far, each time there is more. */
type Options = { stdin?: string; env?: Record<string, string>; heard?: (stdout: string) => void };

/** The command as a user has it, in a directory and with a configuration of its own. */
export type Weir = {
  directory: string;
  words: [node: string, program: string];
  env: Record<string, string>;
  run: (given: string[], options?: Options) => Promise<Ended>;
  write: (path: string, text: string) => Promise<void>;
};

const sources = join(import.meta.dirname, '../../infra/cli');
const execute = promisify(execFile);

/** The Node that npm runs on, as it does for a user: an older one than the tests' own, where that comes with the packages. */
const node = process.env['npm_node_execpath'] ?? process.execPath;

/** The command as a user gets it: packed by npm and installed by npm, beside nothing else. Its words are for `spawn`. */
export type Installed = { words: [node: string, program: string]; directory: string; remove: () => Promise<void> };

export async function installCommand(): Promise<Installed> {
  const directory = await mkdtemp(join(tmpdir(), 'weir-cli-package-'));
  const unpacked = join(directory, 'package');
  await mkdir(unpacked);
  for (const name of ['package.json', 'README.md']) await copyFile(join(sources, name), join(unpacked, name));
  await buildPackage(unpacked);
  const { stdout } = await execute('npm', ['pack', unpacked, '--ignore-scripts', '--json'], { cwd: directory });
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  const quietly = ['--offline', '--no-audit', '--no-fund', '--prefix', directory];
  await execute('npm', ['install', '--global', ...quietly, join(directory, filename)]);
  return {
    words: [node, join(directory, 'bin/weir')],
    directory,
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}

/** The command as `npx weir` runs it in a checkout. */
export const fromSources: Pick<Installed, 'words'> = { words: [process.execPath, join(sources, 'weir.ts')] };

export async function createCommand(
  { words }: Pick<Installed, 'words'>,
  env: Record<string, string> = {},
): Promise<Weir & { remove: () => Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'weir-cli-'));
  const own = { PATH: process.env['PATH'] ?? '', HOME: directory, XDG_CONFIG_HOME: join(directory, 'config'), ...env };
  const work = join(directory, 'work');
  await mkdir(work);
  return {
    directory: work,
    words,
    env: own,
    run: (given, options = {}) => run([...words, ...given], work, { ...options, env: { ...own, ...options.env } }),
    write: (path, text) => writeFile(join(work, path), text),
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}

function run(
  [program = '', ...given]: string[],
  cwd: string,
  { env = {}, stdin = '', heard }: Options,
): Promise<Ended> {
  const child = spawn(program, given, { cwd, env, stdio: 'pipe' });
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
