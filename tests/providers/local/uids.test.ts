import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test as base } from 'vitest';
import { claimUid, lastUid, releaseUid } from '../../../src/providers/local/uids.ts';

const test = base.extend<{ root: string }>({
  // eslint-disable-next-line no-empty-pattern
  root: async ({}, use) => {
    const root = await mkdtemp(join(tmpdir(), 'weir-uids-'));
    await use(root);
    await rm(root, { recursive: true });
  },
});

async function makeHolders(root: string, count: number) {
  const holders = Array.from({ length: count }, (_, i) => ({
    instanceDir: join(root, `i${i}`),
    workDir: join(root, `w${i}`),
  }));
  for (const { instanceDir } of holders) await mkdir(instanceDir);
  return holders;
}

test('a uid is given to one instance at a time, until it is released', async ({ root }) => {
  const claims = join(root, 'claims');
  const holders = await makeHolders(root, 50);
  const uids = await Promise.all(holders.map((holder) => claimUid(holder, claims)));
  expect(new Set(uids).size).toBe(holders.length);
  expect(Math.max(...uids)).toBeLessThanOrEqual(lastUid);
  expect(await readdir(claims)).toHaveLength(holders.length);

  for (const [i, holder] of holders.entries()) await releaseUid(uids[i] ?? 0, holder, claims);
  expect(await readdir(claims)).toEqual([]);
});

test('a uid is released by its holder alone', async ({ root }) => {
  const claims = join(root, 'claims');
  const [holder, other] = await makeHolders(root, 2);
  if (holder === undefined || other === undefined) throw new Error('two were made');
  const uid = await claimUid(holder, claims);
  await releaseUid(uid, other, claims);
  expect(await readdir(claims)).toEqual([String(uid)]);
});
