import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Places } from '../../../src/providers/local/places.ts';
import { tidy } from '../../../src/providers/local/remove.ts';

test('what can’t be removed is told, and keeps nothing else from being removed', async () => {
  const root = await mkdtemp(join(tmpdir(), 'weir-remove-'));
  onTestFinished(() => rm(root, { recursive: true }));
  const places = { instances: join(root, 'instances'), runnerLogs: join(root, 'logs') } as Places;
  await mkdir(places.runnerLogs);
  for (const name of ['a', 'b', 'c']) {
    const directory = join(places.instances, `.removed-${name}`);
    await mkdir(directory, { recursive: true });
    // Nobody can remove what the kernel tells of a process.
    const workDir = name === 'b' ? '/proc/self/status' : join(root, name);
    await writeFile(join(directory, 'instance.json'), JSON.stringify({ name, workDir, uid: null }));
    if (name !== 'b') await mkdir(workDir);
  }
  const errors: unknown[] = [];
  await tidy(places, (error) => errors.push(error));
  expect(await readdir(places.instances)).toEqual(['.removed-b']);
  expect((await readdir(root)).toSorted()).toEqual(['instances', 'logs']);
  expect(errors).toEqual([expect.objectContaining({ message: expect.stringContaining('/proc/self/status') })]);
});
