import { spawn, type ChildProcess } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Job, LogLine, NewJob } from '../../src/protocol/job.ts';
import type { Role } from '../../src/protocol/tenant.ts';
import { compileCache } from './compile-cache.ts';
import { freePort } from './free-port.ts';
import { waitFor } from './wait.ts';

/** The real service as a process of its own, driven over HTTP as a user would. */
export type ServiceProcess = {
  pid: number;
  url: string;
  output: () => string;
  kill: (signal: NodeJS.Signals) => Promise<void>;
};

export type Installation = {
  dataDir: string;
  url: string;
  port: number;
  env: Record<string, string>;
  start: (mode?: 'api' | 'worker' | 'both', port?: number) => Promise<ServiceProcess>;
  operator: Client;
  /** A new tenant's client. */
  tenant: (name: string, role?: Role) => Promise<Client>;
  remove: () => Promise<void>;
};

const program = join(import.meta.dirname, '../../src/main.ts');
export const operatorKey = 'operator-key-of-the-tests-0123456789';

/** Times so short that what takes minutes in earnest takes moments here. */
const quickTiming = {
  sweepSeconds: 0.3,
  heartbeatSeconds: 0.2,
  leaseSeconds: 20,
  bootSeconds: 30,
  graceSeconds: 2,
  stopSeconds: 10,
  retryBackoffSeconds: 0.2,
};

export type InstallationOptions = {
  databaseUrl?: string;
  redisUrl?: string;
  config?: Record<string, unknown>;
  timing?: Record<string, number>;
  dataDir?: string;
  env?: Record<string, string>;
  /** Where it listens: 127.0.0.1, but for machines that have a network of their own. */
  host?: string;
};

/** An installation with a data directory of its own; its processes are started by the test. */
export async function createInstallation({
  databaseUrl,
  redisUrl,
  config = {},
  timing = {},
  dataDir: given,
  env: moreEnv = {},
  host = '127.0.0.1',
}: InstallationOptions = {}): Promise<Installation> {
  const dataDir = given ?? (await mkdtemp(join(tmpdir(), 'weir-service-')));
  // Jobs with a uid of their own then work inside of it, and all is gone with it.
  await chmod(dataDir, 0o711);
  const port = await freePort();
  const url = `http://${host}:${port}`;
  await writeFile(join(dataDir, 'operator.key'), operatorKey, { mode: 0o600 });
  const configPath = join(dataDir, 'weir.yaml');
  await writeFile(configPath, stringify({ publicUrl: url, timing: { ...quickTiming, ...timing }, ...config }));
  const env = {
    PATH: process.env['PATH'] ?? '',
    ...compileCache,
    WEIR_HOST: host,
    WEIR_PORT: String(port),
    WEIR_DATA_DIR: dataDir,
    WEIR_CONFIG: configPath,
    ...moreEnv,
    ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
    ...(redisUrl === undefined ? {} : { REDIS_URL: redisUrl }),
  };
  const started: ChildProcess[] = [];
  const operator = createClient(url, operatorKey);
  return {
    dataDir,
    url,
    port,
    env,
    operator,
    start: (mode = 'both', ownPort = port) => startProcess(mode, { ...env, WEIR_PORT: String(ownPort) }, started),
    tenant: async (name, role = 'admin') => {
      const { id } = await operator.post<{ id: string }>('/v1/tenants', { name });
      const { key } = await operator.post<{ key: string }>(`/v1/tenants/${id}/keys`, { role });
      return createClient(url, key, id);
    },
    remove: async () => {
      for (const child of started) await end(child, 'SIGTERM');
      await killEmbeddedDatabase(dataDir);
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** On a machine that has ten other things to do. */
const startTimeoutMs = 120_000;

async function startProcess(
  mode: string,
  env: Record<string, string>,
  started: ChildProcess[],
): Promise<ServiceProcess> {
  const child = spawn(process.execPath, ['--max-semi-space-size=4', program, mode], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await waitFor(
    `weir ${mode} to be ready; it said:\n${output}`,
    () => {
      if (child.exitCode !== null) throw new Error(`weir ${mode} exited with ${child.exitCode}:\n${output}`);
      return output.includes('weir is ready');
    },
    startTimeoutMs,
  );
  return {
    pid: child.pid ?? 0,
    url: `http://${env['WEIR_HOST']}:${env['WEIR_PORT']}`,
    output: () => output,
    kill: (signal) => end(child, signal),
  };
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await ended;
}

/** After a kill -9 of the service its PostgreSQL still runs. */
async function killEmbeddedDatabase(dataDir: string): Promise<void> {
  const pidFile = await readFile(join(dataDir, 'postgres/data/postmaster.pid'), 'utf8').catch(() => undefined);
  if (pidFile === undefined) return;
  const pid = Number(pidFile.split('\n')[0]);
  process.kill(pid, 'SIGINT');
  await waitFor('PostgreSQL to end', () => !isAlive(pid));
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

export type Answer = { status: number; body: unknown; headers: Headers };

export type Client = {
  tenantId: string;
  key: string;
  call: (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>;
  get: <T>(path: string) => Promise<T>;
  post: <T>(path: string, body?: unknown) => Promise<T>;
  submit: (spec: NewJob) => Promise<Job>;
  job: (id: string) => Promise<Job>;
  /** Waits until the job is in one of these states. */
  until: (id: string, states: readonly Job['state'][], timeoutMs?: number) => Promise<Job>;
  log: (id: string) => Promise<LogLine[]>;
};

export const ended = ['succeeded', 'failed', 'cancelled'] as const;

export function createClient(url: string, key: string, tenantId = ''): Client {
  const call = async (
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> => {
    const response = await fetch(url + path, {
      method,
      redirect: 'manual',
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: /json/.test(response.headers.get('content-type') ?? '') ? JSON.parse(text) : text,
    };
  };
  const need = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const answer = await call(method, path, body);
    if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body as T;
  };
  const job = (id: string) => need<Job>('GET', `/v1/jobs/${id}`);
  return {
    tenantId,
    key,
    call,
    job,
    get: (path) => need('GET', path),
    post: (path, body = {}) => need('POST', path, body),
    submit: (spec) => need('POST', '/v1/jobs', spec),
    until: async (id, states, timeoutMs = 30_000) => {
      let last: Job | undefined;
      try {
        return await waitFor(
          `${id} to be ${states.join(' or ')}`,
          async () => {
            // The service may be away for a moment: that is what some tests are about.
            last = await job(id).catch(() => last);
            return last !== undefined && states.includes(last.state) ? last : undefined;
          },
          timeoutMs,
        );
      } catch (error) {
        throw new Error(
          `${String(error)}; it is ${JSON.stringify(last, ['id', 'state', 'reason', 'message', 'attempts', 'number', 'waiting', 'blockers'])}`,
          { cause: error },
        );
      }
    },
    log: async (id) => (await need<{ items: LogLine[] }>('GET', `/v1/jobs/${id}/logs?limit=1000`)).items,
  };
}
