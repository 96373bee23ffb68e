import { expect, test } from 'vitest';
import type { Boot } from '../../src/protocol/runner.ts';
import { judge, machineDiskFull, type Failure } from '../../src/runner/verdict.ts';
import { watchCommand } from '../../src/runner/watch.ts';

const exit = { code: 1, signal: null };
const limits = { cpus: 1, memoryBytes: 1e9, diskBytes: 1e9, gpus: [] };
// A file system that never has room.
const boot = { workDir: '/proc/self/attr', tmpDir: '/proc/self/attr', ownsMachine: false } as Boot;

test('a machine whose disk is full is not the fault of a job within its own', async () => {
  const nothing = () => Promise.resolve();
  const finished = new Promise<never>(() => undefined);
  const command = { census: () => [], pidInside: () => undefined, stop: nothing, kill: nothing, finished };
  const failure = await new Promise<Failure>((resolve) => {
    watchCommand({ command, limits, boot, roamingUid: null }, resolve);
  });
  expect(failure.reason).toBe('machine-disk-full');
  expect(failure.message).not.toMatch(/Write less/);
});

test.each([
  [false, 'machine-disk-full'],
  [true, 'disk-full'],
])('where a program found no space on a full machine, its own: %s, that is %s', (ownsMachine, reason) => {
  const errorTail = ['tee: x: No space left on device'];
  const machineFull = machineDiskFull({ ...boot, ownsMachine });
  expect(judge({ exit, cause: undefined, leftBehind: 0, errorTail, machineFull })).toMatchObject({
    reason,
    message: machineFull.message,
  });
  expect(judge({ exit, cause: undefined, leftBehind: 0, errorTail, machineFull: undefined })).toMatchObject({
    reason: 'disk-full',
  });
});
