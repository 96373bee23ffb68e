import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { isRoot, isRunning, reportOf, runJob, startJob, startRunner } from '../support/runner-process.ts';
import { assignmentOf, startFakeBroker } from '../support/fake-broker.ts';
import { waitFor } from '../support/wait.ts';

test('the job sees nothing of the environment of broker and runner', async () => {
  const broker = await startFakeBroker(assignmentOf({ spec: { name: 'a', command: 'env' } }));
  const runner = await startRunner(broker.url(), {
    env: { DATABASE_URL: 'postgres://secret', WEIR_OPERATOR_KEY: 'secret' },
    boot: { env: { LANG: 'C' } },
  });
  await reportOf(broker, runner);
  const names = broker.texts('o').map((text) => text.split('=')[0]);
  const given = [
    'PATH',
    'HOME',
    'LANG',
    'PIP_BREAK_SYSTEM_PACKAGES',
    'OMP_NUM_THREADS',
    'CUDA_DEVICE_ORDER',
    'CUDA_VISIBLE_DEVICES',
    'WEIR_JOB_ID',
    'WEIR_JOB_NAME',
    'WEIR_ATTEMPT',
    'WEIR_NODE_RANK',
    'WEIR_NODE_COUNT',
    'WEIR_PROGRESS_FILE',
    'WEIR_RUNNER_ID',
  ];
  // The last three are the shell's own.
  expect(new Set(names)).toEqual(new Set([...given, 'PWD', 'SHLVL', '_']));
  await broker.goAway();
});

// Only root can give a job a uid of its own.
if (isRoot) {
  const uid = 61_234;
  const isolation = { kind: 'user', uid } as const;

  test('a job with a uid of its own reads neither the runner’s state nor its boot file nor its memory', async () => {
    const { broker, runner } = await startJob(
      {
        spec: {
          name: 'a',
          command:
            'while ! test -s paths; do sleep 0.05; done; id -u; id -G; for path in $(cat paths); do cat "$path" >/dev/null 2>&1 && echo "read $path"; done; kill -9 $(cat pid) 2>/dev/null && echo killed; grep NoNewPrivs /proc/self/status; exit 0',
        },
      },
      { isolation },
    );
    await waitFor('the working directory', () => statSync(runner.boot.workDir, { throwIfNoEntry: false })?.uid === uid);
    writeFileSync(runner.bootPath, '{}', { mode: 0o600 });
    writeFileSync(join(runner.boot.workDir, 'pid'), String(runner.pid));
    writeFileSync(
      join(runner.boot.workDir, 'paths'),
      [
        runner.bootPath,
        `${runner.boot.stateDir}/token`,
        `${runner.boot.stateDir}/job.json`,
        `/proc/${runner.pid}/environ`,
        `/proc/${runner.pid}/mem`,
        '/etc/shadow',
      ].join('\n'),
    );
    await reportOf(broker, runner);
    expect(broker.texts('o')).toEqual([String(uid), String(uid), 'NoNewPrivs:\t1']);
  });

  test('what the job puts into its environment does not lead programs that run as root', async () => {
    const { broker } = await runJob(
      { spec: { name: 'a', command: 'echo ran', env: { LD_PRELOAD: '/tmp/no-such-library.so' } } },
      { isolation },
    );
    expect(broker.texts('o')).toEqual(['ran']);
    // The loader complains for the job's own programs only, which run as its uid.
    expect(broker.texts('e').every((text) => text.includes('no-such-library'))).toBe(true);
  });

  test('whatever the job started, in whichever session and environment, is gone at its end', async () => {
    const { broker, runner, report } = await runJob(
      {
        spec: {
          name: 'a',
          command:
            '(setsid env -i sh -c "echo \\$\\$ > child; exec sleep 300" >/dev/null 2>&1 </dev/null &) ; while ! test -s child; do sleep 0.02; done; cat child',
        },
      },
      { isolation },
    );
    expect(report.reason).toBe('processes-left-behind');
    expect(isRunning(Number(broker.texts('o')[0]))).toBe(false);
    expect(JSON.parse(readFileSync(join(runner.boot.stateDir, 'job.json'), 'utf8'))).toMatchObject({ uid });
  });

  test('a job that forks without end is ended', async () => {
    const { broker, runner } = await startJob(
      {
        spec: {
          name: 'a',
          command:
            "trap '' TERM; f() { for i in 1 2 3; do (trap '' TERM; sleep 0.2; f) & done; }; echo up; f; sleep 60",
        },
      },
      { isolation },
    );
    await waitFor('the job', () => broker.texts().includes('up'));
    broker.directive = { directive: 'stop', reason: 'cancelled', rendezvous: null };
    expect((await reportOf(broker, runner)).reason).toBe('stopped');
  });

  test('what a job leaves in /tmp, in whosever directory, counts as its disk', async () => {
    const open = mkdtempSync('/tmp/weir-open-');
    chmodSync(open, 0o777);
    onTestFinished(() => rmSync(open, { recursive: true }));
    const limits = { cpus: 1, memoryBytes: 1e9, diskBytes: 40e6, gpus: [] };
    const command = `head -c 30000000 /dev/zero > ${open}/x; head -c 30000000 /dev/zero > y; sleep 60`;
    const { report } = await runJob({ spec: { name: 'a', command }, limits }, { isolation });
    expect(report.reason).toBe('disk-full');
  });

  test('what a job leaves in /dev/shm counts as its memory', async () => {
    const file = '/dev/shm/weir-test-shared';
    onTestFinished(() => rmSync(file, { force: true }));
    const limits = { cpus: 1, memoryBytes: 100e6, diskBytes: 1e9, gpus: [] };
    const command = `head -c 120000000 /dev/zero > ${file}; sleep 60`;
    const { report } = await runJob({ spec: { name: 'a', command }, limits }, { isolation });
    expect(report.reason).toBe('out-of-memory');
  });

  test('outputs that are links to what only the runner may read are not uploaded', async () => {
    const { broker, report } = await runJob(
      {
        spec: {
          name: 'a',
          command:
            'mkdir out; ln -s /etc/shadow out/shadow; ln -s /etc out/etc; ln -s /etc etc; mkfifo out/fifo; echo fine > out/real',
          outputs: ['out', 'etc/shadow', 'out/shadow', 'gone'],
        },
      },
      { isolation },
    );
    expect(report.reason).toBe('completed');
    expect([...broker.uploads.values()].map(({ path }) => path)).toEqual(['out/real']);
    expect(broker.texts('w').join('\n')).toMatch(/no output gone/);
  });
}
