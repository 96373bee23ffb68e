import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Boot, Isolation } from '../../src/protocol/runner.ts';
import { argumentsOf, listProcesses } from '../../src/providers/local/processes.ts';
import { waitFor } from '../support/wait.ts';
import { openLocal, ownFile, type LocalSubject } from './local-subject.ts';

const weirA = { name: 'weir-a', zone: 'local' };

/** A job that ignores SIGTERM, with a child that does too, has left its session and emptied its environment. */
function stubborn(tag: string): string {
  const forever = `trap "" TERM; : ${tag}; while :; do sleep 1; done`;
  return `trap '' TERM; setsid env -i /bin/sh -c '${forever}' & echo started > started; ${forever}`;
}

/** How many processes with this in their command line live. */
function countTagged(tag: string): number {
  return listProcesses().filter((each) => argumentsOf(each).some((argument) => argument.includes(tag))).length;
}

/** What weir relies on with the local provider, whatever keeps its jobs apart. */
export function describeLocal(isolation: Isolation['kind']): void {
  const guarantee = (name: string, check: (subject: LocalSubject) => Promise<void>) =>
    test(name, async () => {
      const subject = await openLocal(isolation);
      try {
        await check(subject);
      } finally {
        await subject.close();
      }
    });
  const startStubborn = async ({ provider, job, written }: LocalSubject): Promise<string> => {
    const tag = randomUUID();
    await provider.create(job('weir-a', stubborn(tag)));
    await written('weir-a', 'started');
    // The runner, which has the command in its boot file only, is none of them.
    await waitFor('both processes to run', () => countTagged(tag) >= 2);
    return tag;
  };

  describe(`the local provider, isolation ${isolation}`, () => {
    guarantee('a job that ends when told is not killed', async ({ provider, job, written, runners }) => {
      await provider.create(
        job('weir-a', `trap 'echo told > told; exit' TERM; echo started > started; while :; do sleep 0.1; done`),
      );
      await written('weir-a', 'started');
      await provider.destroy(weirA);
      await waitFor('the runner to end by itself', () => runners('weir-a').length === 0);
    });

    guarantee('a tree of directories deeper than any path can name is removed', async (subject) => {
      const { provider, job, written, workRoot, pass } = subject;
      const name = 'd'.repeat(200);
      const nest = `i=0; while [ $i -lt 25 ]; do mkdir ${name}; cd ${name}; i=$((i + 1)); done`;
      await provider.create(job('weir-a', `(${nest}); chmod 0 ${name}; echo made > made; sleep 600`));
      await written('weir-a', 'made');
      await waitFor('its directory to be gone', async () => {
        await provider.destroy(weirA);
        pass(10_000);
        await provider.list();
        return (await readdir(join(workRoot, 'jobs'))).length === 0;
      });
    });

    guarantee(
      'a runner learns what its job must not see, and has its temporary files on its own disk',
      async (subject) => {
        const { provider, job, dataDir, workRoot, workDirOf } = subject;
        await provider.create(job('weir-a', 'sleep 600'));
        const bootFile = join(dataDir, 'instances', 'weir-a', 'boot.json');
        const boot = JSON.parse(await readFile(bootFile, 'utf8')) as Boot;
        expect(boot.hidden).toEqual([dataDir, workRoot, process.cwd(), '/etc/weir', ownFile]);
        expect(boot.tmpDir).toBe(join(workDirOf('weir-a'), '../tmp'));
      },
    );

    guarantee('a job that ignores SIGTERM and leaves its session is killed after its grace', async (subject) => {
      const { provider, pass } = subject;
      const tag = await startStubborn(subject);
      await provider.destroy(weirA);
      expect(await provider.list()).toHaveLength(1);
      await provider.destroy(weirA);
      expect(countTagged(tag)).toBeGreaterThanOrEqual(2);

      pass(60_000);
      await provider.destroy(weirA);
      await waitFor('the machine to be gone', async () => (await provider.list()).length === 0);
      expect(countTagged(tag)).toBe(0);
    });

    guarantee('what a killed runner leaves is killed before its machine counts as gone', async (subject) => {
      const tag = await startStubborn(subject);
      await subject.crash('weir-a');
      await waitFor('the machine to be gone', async () => (await subject.provider.list()).length === 0);
      expect(countTagged(tag)).toBe(0);
    });

    guarantee('a machine ends itself when its time is over', async ({ provider, request, pass }) => {
      await provider.create({ ...request('weir-a'), maxRunSeconds: 60 });
      pass(61_000);
      await waitFor('the machine to be gone', async () => {
        const seen = await provider.list();
        pass(10_000);
        return seen.length === 0;
      });
    });

    guarantee(
      'files of an ended job are removed, also where it took away its own rights to them',
      async ({ provider, job, written, workDirOf, crash }) => {
        await provider.create(
          job(
            'weir-a',
            'mkdir -p locked/inner; touch locked/inner/file; chmod 000 locked; echo done > done; sleep 600',
          ),
        );
        await written('weir-a', 'done');
        await crash('weir-a');
        await waitFor('the files to be gone', async () => {
          await provider.list();
          return stat(workDirOf('weir-a')).then(
            () => false,
            () => true,
          );
        });
      },
    );

    guarantee(
      'a runner that was started but not written down is found again, not started twice',
      async ({ provider, request, dataDir, runners, reopen }) => {
        await provider.create(request('weir-a'));
        const before = runners('weir-a');
        const directory = join(dataDir, 'instances', 'weir-a');
        await forgetRunner(directory);

        await provider.create(request('weir-a'));
        expect(runners('weir-a')).toEqual(before);

        await forgetRunner(directory);
        const next = await reopen();
        await waitFor('the runner to be seen', async () => (await next.list()).length === 1);
        expect(JSON.parse(await readFile(join(directory, 'instance.json'), 'utf8'))).toMatchObject({
          runner: { pid: before[0]?.pid },
        });
      },
    );

    guarantee('a runner lives on when weir is killed with its whole process group', async (subject) => {
      const { provider, request, runners, dataDir, workRoot } = subject;
      const program = join(import.meta.dirname, 'short-lived-weir.ts');
      const args = [program, dataDir, workRoot, JSON.stringify(request('weir-a'))];
      const weir = spawn(process.execPath, args, { detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
      await once(weir.stdout, 'data');
      process.kill(-(weir.pid ?? 0), 'SIGKILL');
      await once(weir, 'exit');
      expect(await provider.list()).toMatchObject([{ name: 'weir-a' }]);
      expect(runners('weir-a')).toHaveLength(1);
    });

    guarantee('of several weirs that make one machine at once, one does', async (subject) => {
      const { provider, request, runners, reopen } = subject;
      const others = await Promise.all([reopen(), reopen(), reopen()]);
      const asked = [provider, ...others].map((each) => each.create(request('weir-a')));
      const refused = (await Promise.allSettled(asked)).filter((outcome) => outcome.status === 'rejected');
      for (const { reason } of refused) expect(reason).toMatchObject({ code: 'unavailable' });
      expect(refused.length).toBeLessThan(4);
      expect(runners('weir-a')).toHaveLength(1);
    });

    guarantee(
      'a machine whose making was cut short before its runner started is made at the next try',
      async ({ provider, request, dataDir, runners, crash }) => {
        await provider.create(request('weir-a'));
        await crash('weir-a');
        await forgetRunner(join(dataDir, 'instances', 'weir-a'));
        await provider.create(request('weir-a'));
        expect(runners('weir-a')).toHaveLength(1);
      },
    );

    guarantee('jobs find node, and nothing of the broker in their environment', async ({ provider, job, written }) => {
      await provider.create(
        job('weir-a', 'PATH="${PATH##*:}" node -p process.version > version; env > env; echo done > done; sleep 600'),
      );
      await written('weir-a', 'done');
      expect(await written('weir-a', 'version')).toBe(process.version);
      expect(await written('weir-a', 'env')).not.toMatch(
        /^(WEIR_DATA|WEIR_OPERATOR|WEIR_SECRET|DATABASE_URL|REDIS_URL|GOOGLE_|NODE_COMPILE_CACHE|VITEST)/m,
      );
    });
  });
}

/** As a crash between the start of the runner and its record leaves it, a while ago. */
async function forgetRunner(directory: string): Promise<void> {
  const path = join(directory, 'instance.json');
  const record = JSON.parse(await readFile(path, 'utf8')) as object;
  await writeFile(path, JSON.stringify({ ...record, runner: null }));
  await writeFile(join(directory, 'claim.1'), JSON.stringify({ pid: 4_194_304, startTicks: 1 }));
  const longAgo = new Date(Date.now() - 60_000);
  await utimes(directory, longAgo, longAgo);
}
