import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test as base } from 'vitest';
import { openPlaces } from '../../../src/providers/local/places.ts';

const test = base.extend<{ root: string; installation: string }>({
  // eslint-disable-next-line no-empty-pattern
  root: async ({}, use) => {
    const root = await mkdtemp(join(tmpdir(), 'weir-places-'));
    await use(root);
    await rm(root, { recursive: true });
  },
  // eslint-disable-next-line no-empty-pattern
  installation: async ({}, use) => {
    const installation = randomUUID();
    await use(installation);
    await rm(`/var/tmp/weir-${installation}`, { recursive: true, force: true });
  },
});

const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

test('jobs work under the data directory where they can enter it', async ({ root, installation }) => {
  await chmod(root, 0o711);
  const places = await openPlaces({ dataDir: root, installation, workDir: undefined, switchesUid: true });
  expect(places.workRoot).toBe(join(root, 'work'));
  expect(await modeOf(places.instances)).toBe(0o700);
  expect(await modeOf(places.jobs)).toBe(0o711);
});

test('jobs of another uid work outside of a data directory that they can’t enter', async ({ root, installation }) => {
  const options = { dataDir: root, installation, workDir: undefined };
  expect((await openPlaces({ ...options, switchesUid: false })).workRoot).toBe(join(root, 'work'));
  const places = await openPlaces({ ...options, switchesUid: true });
  expect(places.workRoot).toBe(`/var/tmp/weir-${installation}`);
  expect(await modeOf(places.workRoot)).toBe(0o711);
});

test('a configured directory that jobs can’t enter is refused at start', async ({ root, installation }) => {
  const workDir = join(root, 'work');
  const opening = openPlaces({ dataDir: root, installation, workDir, switchesUid: true });
  await expect(opening).rejects.toThrow(/providers\.local\.workDir/);
});

test('what someone else has put where jobs work is not used', async ({ root, installation }) => {
  const elsewhere = join(root, 'elsewhere');
  await mkdir(elsewhere);
  execFileSync('ln', ['-s', elsewhere, `/var/tmp/weir-${installation}`]);
  const opening = openPlaces({ dataDir: root, installation, workDir: undefined, switchesUid: true });
  await expect(opening).rejects.toThrow(/belongs to someone else/);
});

test('node is there for jobs, also the second time', async ({ root, installation }) => {
  for (const _time of [1, 2]) {
    const { tools } = await openPlaces({ dataDir: root, installation, workDir: undefined, switchesUid: false });
    expect(execFileSync(join(tools, 'node'), ['--version'], { encoding: 'utf8' }).trim()).toBe(process.version);
    expect((await modeOf(join(tools, 'node'))) & 0o005).toBe(0o005);
  }
});
