import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { expect, test as base } from 'vitest';
import { startCluster, type Cluster } from '../../src/db/cluster.ts';
import { waitFor } from '../support/wait.ts';

/** A directory for a PostgreSQL; whatever still runs in it is stopped after the test. */
const test = base.extend<{ directory: string }>({
  // eslint-disable-next-line no-empty-pattern
  directory: async ({}, use) => {
    const parent = await mkdtemp(join(tmpdir(), 'weir-cluster-'));
    const directory = join(parent, 'postgres');
    await use(directory);
    const pid = await postmasterOf(directory);
    if (pid !== undefined) process.kill(pid, 'SIGQUIT');
    await waitFor('PostgreSQL to end', async () => (await postmasterOf(directory)) === undefined || !isAlive(pid));
    await rm(parent, { recursive: true, force: true });
  },
});

const quick = ['-c fsync=off'];

async function postmasterOf(directory: string): Promise<number | undefined> {
  const text = await readFile(join(directory, 'data/postmaster.pid'), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : Number(text.split('\n')[0]);
}

function isAlive(pid: number | undefined): boolean {
  try {
    return pid !== undefined && process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function connect({ url }: Cluster, applicationName?: string): Promise<pg.Client> {
  const target = new URL(url);
  if (applicationName !== undefined) target.searchParams.set('application_name', applicationName);
  const client = new pg.Client({ connectionString: target.href });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** Whether one gets in, as a query shows. */
async function letsIn(cluster: Cluster): Promise<boolean> {
  try {
    await (await connect(cluster)).end();
    return true;
  } catch {
    return false;
  }
}

test('of two that start at the same moment in a new directory, both have the one PostgreSQL', async ({ directory }) => {
  const clusters = await Promise.all([startCluster(directory, quick), startCluster(directory, quick)]);
  const ports = await Promise.all(
    clusters.map(async (cluster) => {
      const client = await connect(cluster);
      const { rows } = await client.query<{ port: string }>(`SELECT current_setting('port') AS port`);
      await client.end();
      return rows[0]?.port;
    }),
  );
  expect(new Set(ports).size).toBe(1);
  expect(clusters.filter(({ isStartedHere }) => isStartedHere)).toHaveLength(1);
  expect(await readdir(join(directory, '..'))).toEqual(['postgres']);
  await clusters[0].stop();
});

test('the last weir that uses it stops it', async ({ directory }) => {
  const cluster = await startCluster(directory, quick);
  const other = await connect(cluster, 'weir-of-another-process');
  await cluster.stop();
  expect((await other.query('SELECT 1')).rowCount).toBe(1);
  await other.end();
  await waitFor('it to be the last', async () => {
    await cluster.stop();
    return (await postmasterOf(directory)) === undefined;
  });
});

test('where it runs it tells itself, whatever the settings say', async ({ directory }) => {
  const cluster = await startCluster(directory, quick);
  const settings = join(directory, 'settings.json');
  const kept = JSON.parse(await readFile(settings, 'utf8')) as object;
  await writeFile(settings, JSON.stringify({ ...kept, port: 1 }));
  const again = await startCluster(directory, quick);
  expect(await letsIn(again)).toBe(true);
  expect(again.isStartedHere).toBe(false);
  await cluster.stop();
});

test('a lock that was left behind is none, though another program has its number now', async ({ directory }) => {
  const cluster = await startCluster(directory, quick);
  const lock = join(directory, 'data/postmaster.pid');
  const text = await readFile(lock, 'utf8');
  await cluster.stop();
  await writeFile(lock, text.replace(/^\d+/, String(process.pid)));
  const again = await startCluster(directory, quick);
  expect(await letsIn(again)).toBe(true);
  await again.stop();
});

test('one that is just being stopped is waited for, and started anew', async ({ directory }) => {
  const cluster = await startCluster(directory, quick);
  const holder = await connect(cluster);
  const pid = await postmasterOf(directory);
  // Smart: nobody gets in any more, and it ends when the last has left.
  process.kill(pid ?? 0, 'SIGTERM');
  await waitFor('it to let nobody in', async () => !(await letsIn(cluster)));
  const starting = startCluster(directory, quick);
  await holder.end();
  const again = await starting;
  expect(again.isStartedHere).toBe(true);
  expect(await letsIn(again)).toBe(true);
  await again.stop();
});

test('a start that was killed half way leaves nothing that the next one stumbles over', async ({ directory }) => {
  const program = join(import.meta.dirname, '../../src/db/cluster.ts');
  const script = `import { startCluster } from ${JSON.stringify(program)}; await startCluster(${JSON.stringify(directory)});`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: 'ignore' });
  await waitFor('it to make its files', async () => (await readdir(join(directory, '..'))).length > 0);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const cluster = await startCluster(directory, quick);
  expect(await letsIn(cluster)).toBe(true);
  await cluster.stop();
  expect(await readdir(join(directory, '..'))).toEqual(['postgres']);
});
