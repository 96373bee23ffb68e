import { once } from 'node:events';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Boot } from '../../src/protocol/runner.ts';
import { isRoot, isRunning, reportOf, runJob, startJob } from '../support/runner-process.ts';
import { waitFor } from '../support/wait.ts';

const uid = isRoot ? 61_235 : null;
const boot: Partial<Boot> = { isolation: { kind: 'bubblewrap', uid } };
const job = (command: string, more: object = {}) => ({ spec: { name: 'a', command, ...more } });

test('the job runs in namespaces of its own, as nobody in particular', async () => {
  const { broker, report } = await runJob(
    job(
      'for kind in pid mnt user ipc uts; do readlink /proc/self/ns/$kind; done; ls /proc | grep -c "^[0-9]"; test -w . && echo writable; grep CapEff /proc/self/status',
    ),
    boot,
  );
  expect(report).toMatchObject({ reason: 'completed' });
  const [pid, mnt, user, ipc, uts, processes, writable, capabilities] = broker.texts('o');
  for (const [kind, link] of Object.entries({ pid, mnt, user, ipc, uts }))
    expect(link).not.toBe(readlinkSync(`/proc/self/ns/${kind}`));
  expect(Number(processes)).toBeLessThan(10);
  expect(writable).toBe('writable');
  expect(capabilities).toMatch(/0000000000000000$/);
});

test('broker’s files, other jobs’ directories and the runner’s state are not in sight', async () => {
  const other = mkdtempSync(join(tmpdir(), 'weir-other-'));
  onTestFinished(() => rmSync(other, { recursive: true }));
  writeFileSync(join(other, 'operator.key'), 'secret', { mode: 0o644 });
  const { broker, runner } = await startJob(
    job(
      'while ! test -s paths; do sleep 0.05; done; for path in $(cat paths); do test -e "$path" && echo "seen $path"; done; echo looked',
    ),
    boot,
  );
  await waitFor('the working directory', () => statSync(runner.boot.workDir, { throwIfNoEntry: false }) !== undefined);
  const paths = [
    other,
    runner.boot.stateDir,
    runner.bootPath,
    `/proc/${runner.pid}/environ`,
    join(process.cwd(), 'package.json'),
    '/root/.ssh',
    '/home',
  ];
  writeFileSync(join(runner.boot.workDir, 'paths'), paths.join('\n'));
  await reportOf(broker, runner);
  expect(broker.texts('o')).toEqual(['looked']);
});

test('what a job has in memory files and what its processes hold is limited together', async () => {
  const limits = { cpus: 1, memoryBytes: 150e6, diskBytes: 1e9, gpus: [] };
  const hold = `node -e 'globalThis.held = Buffer.alloc(80e6, 1); setTimeout(() => {}, 60_000)'`;
  const { report } = await runJob({ ...job(`head -c 100000000 /dev/zero > /dev/shm/x; ${hold}`), limits }, boot);
  expect(report.reason).toBe('out-of-memory');
});

test('environment, tools, temporary files and the network are there', async () => {
  const server = createServer((socket) => socket.end('hello\n')).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const command = `node -p '"node " + 1'; echo "$GREETING"; echo x > /tmp/file && cat /tmp/file; echo y > /dev/shm/file && cat /dev/shm/file; exec 3<>/dev/tcp/127.0.0.1/${port}; head -n 1 <&3; echo out > /dev/stderr`;
  const { broker, report } = await runJob(job(command, { env: { GREETING: 'it\'s\n"fine" $HOME `x`' } }), boot);
  expect(broker.texts('o')).toEqual(['node 1', "it's", '"fine" $HOME `x`', 'x', 'y', 'hello']);
  expect(broker.texts('e')).toEqual(['out']);
  expect(report.reason).toBe('completed');
});

test.each([
  ['exit 3', { reason: 'exit-code', exitCode: 3 }],
  ['kill -SEGV $$', { reason: 'signal' }],
  ['nosuchprogram', { reason: 'command-not-found' }],
  ['setsid sleep 300 & exit 0', { reason: 'processes-left-behind' }],
  ['(sleep 0.3) & exit 0', { reason: 'completed' }],
])('`%s` ends as outside', async (command, report) => {
  expect((await runJob(job(command), boot)).report).toMatchObject(report);
});

test('what lies in the machine’s own /dev/shm is none of the job’s memory, from its first moment', async () => {
  const file = `/dev/shm/weir-test-${process.pid}`;
  onTestFinished(() => rmSync(file, { force: true }));
  writeFileSync(file, Buffer.alloc(100e6));
  const limits = { cpus: 1, memoryBytes: 80e6, diskBytes: 1e9, gpus: [] };
  const { report } = await runJob({ ...job('sleep 1'), limits }, boot);
  expect(report.reason).toBe('completed');
});

test('a setup that shuts its directory does not keep the command from starting', async () => {
  const { report } = await runJob(job('echo x > y; exit 3', { setup: 'chmod 0 .' }), boot);
  expect(report).toMatchObject({ reason: 'exit-code', exitCode: 3 });
});

test('a command as a list that is not there is told as such', async () => {
  const { report } = await runJob({ spec: { name: 'a', command: ['/no/such/program', 'x y'] } }, boot);
  expect(report).toMatchObject({ reason: 'command-not-found' });
});

test('the job gets SIGTERM and its grace, and is killed after it', async () => {
  const { broker, runner } = await startJob(
    job(
      "trap 'echo saving; sleep 0.2; echo saved; trap : TERM; while true; do sleep 0.05; done' TERM; setsid sleep 301 & echo up; while true; do sleep 0.05; done",
    ),
    boot,
  );
  await waitFor('the job', () => broker.texts().includes('up'));
  broker.directive = { directive: 'stop', reason: 'cancelled', rendezvous: null };
  expect((await reportOf(broker, runner)).reason).toBe('stopped');
  expect(broker.texts('o')).toEqual(['up', 'saving', 'saved']);
});

test('with its runner killed, the job is gone', async () => {
  const { broker, runner } = await startJob(job('echo up; sleep 302'), boot);
  await waitFor('the job', () => broker.texts().includes('up'));
  const { pid } = JSON.parse(readFileSync(join(runner.boot.stateDir, 'job.json'), 'utf8')) as { pid: number };
  runner.kill('SIGKILL');
  await runner.exited;
  await waitFor('the sandbox to end', () => !isRunning(pid));
});

test('a job can kill all it sees, and that is its own end only', async () => {
  const { report } = await runJob(job('kill -9 -1; sleep 5'), boot);
  expect(['signal', 'exit-code']).toContain(report.reason);
});

test('memory is limited inside as well', async () => {
  const { report } = await runJob(
    {
      ...job(`node -e 'const all = []; setInterval(() => all.push(Buffer.alloc(20e6, 1)), 20)'`),
      limits: { cpus: 1, memoryBytes: 300e6, diskBytes: 1e9, gpus: [] },
    },
    boot,
  );
  expect(report.reason).toBe('out-of-memory');
});

// Only root may write where the system's programs lie, and make devices.
if (isRoot) {
  // As where weir is not root: the job has the rights of weir, by which it could read all that it sees.
  const withoutUid: Partial<Boot> = { isolation: { kind: 'bubblewrap', uid: null } };

  test('weir’s own files are not in sight, wherever they lie and whatever leads to them', async () => {
    const installation = mkdtempSync('/opt/weir-test-');
    const settings = mkdtempSync('/etc/weir-test-');
    onTestFinished(() => [installation, settings].forEach((path) => rmSync(path, { recursive: true })));
    const dataDir = join(installation, '.weir');
    const workDir = join(dataDir, 'work/jobs/a/work');
    const tools = join(dataDir, 'work/tools');
    mkdirSync(tools, { recursive: true });
    mkdirSync(workDir, { recursive: true });
    writeFileSync(join(tools, 'tool'), '');
    const secrets = [join(dataDir, 'operator.key'), join(installation, '.env'), join(settings, 'google.json')];
    for (const path of secrets) writeFileSync(path, 'secret');
    symlinkSync(join(settings, 'google.json'), join(settings, 'link.json'));
    writeFileSync(join(settings, 'ca.pem'), 'certificate\n');
    const attempts = [
      `cat ${secrets.join(' ')} ${settings}/link.json /proc/1/root/${dataDir}/operator.key`,
      `grep -r secret ${installation} ${settings}`,
      `umount ${installation} && cat ${secrets.join(' ')}`,
      `unshare -Urm sh -c 'umount ${installation}; umount ${settings}/google.json; cat ${secrets.join(' ')}'`,
    ];
    const { broker } = await runJob(
      job(`(${attempts.join('; ')}) 2>/dev/null; ls ${tools}; cat ${settings}/ca.pem; pwd; echo ok > out && cat out`),
      {
        ...withoutUid,
        workDir,
        toolDirs: [tools],
        hidden: [dataDir, installation, join(settings, 'link.json'), '/no/such/file'],
      },
    );
    expect(broker.texts('o')).toEqual(['tool', 'certificate', workDir, 'ok']);
  });

  test('there is no memory to write to that nobody counts', async () => {
    const { broker } = await runJob(
      job(`for path in /x /dev/x /var/x /usr/x; do echo x > $path && echo "wrote $path"; done 2>/dev/null; echo tried`),
      withoutUid,
    );
    expect(broker.texts('o')).toEqual(['tried']);
  });

  test.each([
    [[90], 'nvidia90\n0'],
    [[], ''],
  ])('a job that was given the GPUs %j has no other’s device', async (gpus, seen) => {
    const devices = ['/dev/nvidia90', '/dev/nvidia91'];
    for (const path of devices) writeFileSync(path, '', { mode: 0o666 });
    onTestFinished(() => devices.forEach((path) => rmSync(path)));
    const limits = { cpus: 1, memoryBytes: 1e9, diskBytes: 1e9, gpus };
    const { broker } = await runJob({ ...job('ls /dev | grep nvidia9; echo "$CUDA_VISIBLE_DEVICES"'), limits }, boot);
    expect(broker.texts('o').join('\n')).toBe(seen);
  });

  test('there is no way to the metadata address, and the uid is the job’s own', async () => {
    const { broker } = await runJob(
      job('id -u; (exec 3<>/dev/tcp/169.254.169.254/80) 2>&1 | grep -o "Permission denied" | head -n 1'),
      boot,
    );
    expect(broker.texts('o')).toEqual([String(uid), 'Permission denied']);
  });
}
