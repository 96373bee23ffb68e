import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { claimUid, lastUid, releaseUid } from '../../../src/providers/local/uids.ts';
import { isRoot } from '../local-subject.ts';

// Uids are root's to give.
if (isRoot) {
  test('a uid is given to one instance at a time, and held until released', async () => {
    const root = await mkdtemp(join(tmpdir(), 'weir-uids-'));
    const holders = Array.from({ length: 30 }, (_, i) => ({
      instanceDir: join(root, `i${i}`),
      workDir: join(root, `w${i}`),
    }));
    for (const { instanceDir } of holders) await mkdir(instanceDir);
    const uids = await Promise.all(holders.map(claimUid));
    expect(new Set(uids).size).toBe(holders.length);
    expect(Math.max(...uids)).toBeLessThanOrEqual(lastUid);

    for (const [i, holder] of holders.entries()) await releaseUid(uids[i] ?? 0, holder);
    for (const uid of uids) await expect(readFile(`/run/weir/uids/${uid}`)).rejects.toThrow('ENOENT');
    await rm(root, { recursive: true });
  });
}
