import { randomUUID } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openLocal } from './local-subject.ts';

/** Each command is what a curious job would try; it must print nothing of what it is after. */
export function describeIsolated(isolation: 'user' | 'bubblewrap'): void {
  describe(`a job under isolation ${isolation}`, () => {
    test('reads neither keys, database, other jobs nor the memory of weir, and signals nobody', async () => {
      const subject = await openLocal(isolation);
      const { provider, dataDir, job, written, runners, workDirOf } = subject;
      const secret = `secret-${randomUUID()}`;
      await writeFile(join(dataDir, 'operator.key'), secret, { mode: 0o600 });
      await mkdir(join(dataDir, 'database'), { mode: 0o700 });
      // Careless on purpose: the directories above must be enough.
      await writeFile(join(dataDir, 'database', 'table'), secret, { mode: 0o644 });
      await chmod(join(dataDir, 'database', 'table'), 0o644);

      await provider.create(
        job('weir-victim', `echo ${secret} > private; chmod 777 . private; echo started > started; sleep 600`),
      );
      await written('weir-victim', 'started');
      const victims = [process.pid, ...runners('weir-victim').map(({ pid }) => pid)];
      const attempts = [
        `cat ${dataDir}/operator.key ${dataDir}/database/table`,
        `ls -R ${dataDir}`,
        `cat ${dataDir}/instances/*/boot.json ${dataDir}/instances/weir-victim/instance.json`,
        `cat ${workDirOf('weir-victim')}/private`,
        `ls ${join(workDirOf('weir-victim'), '..')}`,
        ...victims.flatMap((pid) => [
          `cat /proc/${pid}/environ`,
          // Opening it asks for what ptrace asks.
          `head -c 1 /proc/${pid}/mem`,
          `ls /proc/${pid}/fd /proc/${pid}/cwd`,
          `kill -0 ${pid} && echo can signal`,
        ]),
        'kill -TERM -1',
      ];
      await provider.create(
        job(
          'weir-thief',
          `trap '' TERM; (${attempts.map((attempt) => `(${attempt})`).join('; ')}) > loot 2> refusals; echo done > done; sleep 600`,
        ),
      );
      await written('weir-thief', 'done');

      expect((await stat(join(workDirOf('weir-thief'), 'loot'))).size).toBe(0);
      expect((await provider.list()).map(({ name }) => name).sort()).toEqual(['weir-thief', 'weir-victim']);
      await subject.close();
    });

    test('has its working directory, which nobody else can enter', async () => {
      const subject = await openLocal(isolation);
      await subject.provider.create(subject.job('weir-a', 'id -u > uid; echo done > done; sleep 600'));
      await subject.provider.create(subject.job('weir-b', 'id -u > uid; echo done > done; sleep 600'));
      await subject.written('weir-a', 'done');
      await subject.written('weir-b', 'done');
      const { mode, uid } = await stat(subject.workDirOf('weir-a'));
      expect(mode & 0o777).toBe(0o700);
      expect(await subject.written('weir-a', 'uid')).toBe(String(uid));
      expect(await subject.written('weir-b', 'uid')).not.toBe(String(uid));
      expect(uid).toBeGreaterThan(65_535);
      await subject.close();
    });

    test('leaves no files outside of its directory and no shared memory', async () => {
      const subject = await openLocal(isolation);
      const tag = randomUUID();
      const open = await mkdtemp('/tmp/weir-open-');
      await chmod(open, 0o777);
      onTestFinished(() => rm(open, { recursive: true }));
      const paths = [open, '/tmp', '/var/tmp', '/dev/shm'].map((directory) => `${directory}/weir-left-${tag}`);
      await subject.provider.create(subject.job('weir-a', `touch ${paths.join(' ')}; echo done > done; sleep 600`));
      await subject.written('weir-a', 'done');
      await subject.close();
      for (const path of paths) await expect(stat(path)).rejects.toThrow('ENOENT');
    });
  });
}
