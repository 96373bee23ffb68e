import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test as base } from 'vitest';
import { ownProcessId } from '../../../src/providers/local/processes.ts';
import { withClaim } from '../../../src/providers/local/records.ts';

const test = base.extend<{ directory: string }>({
  // eslint-disable-next-line no-empty-pattern
  directory: async ({}, use) => {
    const directory = await mkdtemp(join(tmpdir(), 'weir-records-'));
    await use(directory);
    await rm(directory, { recursive: true });
  },
});

const neverRan = { pid: 4_194_304, startTicks: 1 };

test('of many that want a directory at once, one works on it', async ({ directory }) => {
  let atWork = 0;
  let most = 0;
  const work = async () => {
    atWork += 1;
    most = Math.max(most, atWork);
    await readdir(directory);
    atWork -= 1;
  };
  const claims = await Promise.all(Array.from({ length: 20 }, () => withClaim(directory, work)));
  expect(most).toBe(1);
  expect(claims.filter((claim) => claim !== undefined).length).toBeGreaterThan(0);
});

test('a living holder is not succeeded, a dead one is, also one whose pid was given to another', async ({
  directory,
}) => {
  await writeFile(join(directory, 'claim.1'), JSON.stringify(ownProcessId()));
  expect(await withClaim(directory, () => Promise.resolve('done'))).toBeUndefined();
  await writeFile(join(directory, 'claim.1'), JSON.stringify({ pid: process.pid, startTicks: 1 }));
  expect(await withClaim(directory, () => Promise.resolve('done'))).toEqual({ result: 'done' });
  await writeFile(join(directory, 'claim.1'), JSON.stringify(neverRan));
  expect(await withClaim(directory, () => Promise.resolve('done'))).toEqual({ result: 'done' });
});

test('work that fails leaves the directory free', async ({ directory }) => {
  await expect(withClaim(directory, () => Promise.reject(new Error('no disk')))).rejects.toThrow('no disk');
  expect(await withClaim(directory, () => Promise.resolve('done'))).toEqual({ result: 'done' });
});
