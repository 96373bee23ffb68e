import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Artifact, Job } from '../../src/protocol/job.ts';
import { compileCache } from '../support/compile-cache.ts';
import { freePort } from '../support/free-port.ts';
import { processesOf } from '../support/processes.ts';
import { createClient, ended, type Client } from '../support/service.ts';
import { waitFor } from '../support/wait.ts';

const repository = join(import.meta.dirname, '../..');
const epochs = 10;
const patienceMs = 60_000;

// Whole stories, on a machine that may be busy.
vi.setConfig({ testTimeout: 2 * patienceMs });

/** What a user types, in a terminal of its own: signals go to all that the terminal runs, as Ctrl-C does. */
type Terminal = {
  says: (text: string) => Promise<unknown>;
  end: (signal: NodeJS.Signals) => Promise<void>;
};

/** Holds the data directory, which only weir can enter, and where the jobs work. */
let root: string;
let env: Record<string, string>;
let open: Terminal[];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'weir-quickstart-'));
  await chmod(root, 0o711);
  const configPath = join(root, 'weir.yaml');
  await writeFile(configPath, stringify({ providers: { local: { workDir: join(root, 'work') } } }));
  const { PATH = '', HOME = '' } = process.env;
  const port = String(await freePort());
  env = { PATH, HOME, ...compileCache, WEIR_DATA_DIR: join(root, 'data'), WEIR_PORT: port, WEIR_CONFIG: configPath };
  open = [];
});

afterEach(async () => {
  for (const terminal of open) await terminal.end('SIGKILL');
  for (const { pid } of processesOf(root)) process.kill(pid, 'SIGKILL');
  await rm(root, { recursive: true, force: true });
});

function npm(...args: string[]): Terminal {
  const child = spawn('npm', args, { cwd: repository, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const closed = once(child, 'close');
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const isOver = () => child.exitCode !== null || child.signalCode !== null;
  const terminal: Terminal = {
    says: (text) =>
      waitFor(
        `npm ${args.join(' ')} to say "${text}"`,
        () => {
          if (isOver() && !output.includes(text)) throw new Error('it has ended');
          return output.includes(text);
        },
        patienceMs,
      ).catch((cause: unknown) => {
        throw new Error(`it said:\n${output}`, { cause });
      }),
    end: async (signal) => {
      if (!isOver()) process.kill(-(child.pid ?? 0), signal);
      await closed;
    },
  };
  open.push(terminal);
  return terminal;
}

/** The operator, by the key in the data directory. */
async function operator(): Promise<Client> {
  const key = await readFile(join(root, 'data/operator.key'), 'utf8');
  return createClient(`http://127.0.0.1:${env['WEIR_PORT']}`, key.trim());
}

async function listJobs(client: Client): Promise<Job[]> {
  const { items } = await client.get<{ items: Job[] }>('/v1/jobs?limit=1000');
  return items;
}

async function expectTrained(client: Client, id: string): Promise<string[]> {
  const lines = (await client.log(id)).filter(({ stream }) => stream === 'stdout').map(({ text }) => text);
  const trained = lines.flatMap((text) => /^epoch (\d+)\/10: /.exec(text)?.[1] ?? []);
  expect(trained).toEqual(Array.from({ length: epochs }, (_, index) => String(index + 1)));
  expect(lines.at(-1)).toBe('the model is in out/model.json');
  const { items } = await client.get<{ items: Artifact[] }>(`/v1/jobs/${id}/artifacts`);
  expect(items.map(({ path }) => path).toSorted()).toEqual(['ckpt/checkpoint', 'out/metrics.json', 'out/model.json']);
  return lines;
}

test('killed while its job runs, weir started again finishes the job, once and with its whole log', async () => {
  const quickstart = npm('run', 'quickstart');
  await quickstart.says(`epoch 2/${epochs}`);
  await quickstart.end('SIGKILL');

  const service = npm('start');
  await service.says('weir is ready');
  const client = await operator();
  const [job, ...others] = await listJobs(client);
  expect(others).toEqual([]);
  const id = job?.id ?? '';
  expect(await client.until(id, ended, patienceMs)).toMatchObject({
    state: 'succeeded',
    attempts: [{ number: 1, state: 'succeeded' }],
  });
  await expectTrained(client, id);
});

test('Ctrl-C while it starts leaves nothing running either', async () => {
  const quickstart = npm('run', 'quickstart');
  await quickstart.says('Starting weir');
  await expectStopped(quickstart);
});

test('Ctrl-C leaves nothing running within 10 s, and the next start finds its data and goes on with the job', async () => {
  const first = npm('run', 'quickstart');
  await first.says(`epoch 2/${epochs}`);
  await expectStopped(first);

  const second = npm('run', 'quickstart');
  await second.says('Found the data of an earlier start again; jobs so far: 1.');
  const client = await operator();
  const id = (await listJobs(client)).toSorted((a, b) => a.createdAt.localeCompare(b.createdAt))[0]?.id ?? '';
  expect(await client.until(id, ended, patienceMs)).toMatchObject({
    state: 'succeeded',
    attempts: [
      { number: 1, reason: 'preemption' },
      { number: 2, state: 'succeeded' },
    ],
  });
  expect(await expectTrained(client, id)).toContainEqual(
    expect.stringMatching(/^resumed from ckpt\/checkpoint at epoch [2-4]/),
  );
  await expectStopped(second);
});

async function expectStopped(terminal: Terminal): Promise<void> {
  const startedAt = performance.now();
  await terminal.end('SIGINT');
  expect(performance.now() - startedAt).toBeLessThan(10_000);
  expect(processesOf(root)).toEqual([]);
}
