import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { JobSpec } from '../../src/protocol/job-spec.ts';
import { isAlive, isRunning, reportOf, residentBytes, runJob, startJob } from '../support/runner-process.ts';
import { waitFor } from '../support/wait.ts';

const spec = (command: JobSpec['command'], more: Partial<JobSpec> = {}): { spec: JobSpec } => ({
  spec: { name: 'a', command, ...more },
});

test.each([
  ['an exit code', spec('exit 3'), { reason: 'exit-code', exitCode: 3 }, /exit code 3/],
  ['a signal', spec('kill -SEGV $$'), { reason: 'signal', exitCode: null }, /SIGSEGV/],
  [
    'a command that a shell does not find',
    spec('nosuchprogram --x'),
    { reason: 'command-not-found', exitCode: 127 },
    /nosuchprogram/,
  ],
  [
    'a command that is not there',
    spec(['/no/such/program']),
    { reason: 'command-not-found', exitCode: null },
    /\/no\/such\/program/,
  ],
  ['an exit code 127 of the job’s own', spec('exit 127'), { reason: 'exit-code', exitCode: 127 }, /127/],
  ['a failed setup', spec('echo never', { setup: 'exit 4' }), { reason: 'setup-failed', exitCode: 4 }, /setup failed/],
  ['too long a run', spec('sleep 60', { maxDuration: '1s' }), { reason: 'max-duration' }, /1s/],
  ['an image without an engine', spec('true', { image: 'debian:12' }), { reason: 'image-unavailable' }, /debian:12/],
])('%s is reported as such', async (_title, assignment, report, message) => {
  const { report: seen } = await runJob(assignment);
  expect(seen).toMatchObject(report);
  expect(seen.message).toMatch(message);
});

test('a list is run as it is, without a shell', async () => {
  const { broker } = await runJob(spec(['/bin/echo', '$HOME', '*']));
  expect(broker.texts('o')).toEqual(['$HOME *']);
});

test('a job that is told to stop gets SIGTERM and time', async () => {
  const { broker, runner } = await startJob({
    ...spec("trap 'echo saving; exit 0' TERM; echo up; while true; do sleep 0.05; done"),
    graceSeconds: 20,
  });
  await waitFor('the job', () => broker.texts().includes('up'));
  broker.directive = { directive: 'stop', reason: 'cancelled', rendezvous: null };
  expect(await reportOf(broker, runner)).toMatchObject({ reason: 'stopped', exitCode: 0 });
  expect(broker.texts('o')).toContain('saving');
});

test('a job that ignores SIGTERM is killed after its grace, with what it started in sessions of their own', async () => {
  const stubborn =
    "trap '' TERM; setsid sh -c \"trap '' TERM; echo child \\$\\$; while true; do sleep 0.1; done\" & echo up; while true; do sleep 0.1; done";
  const { broker, runner } = await startJob(spec(stubborn));
  const child = await waitFor('the child', () => broker.texts().find((text) => text.startsWith('child ')));
  broker.directive = { directive: 'stop', reason: 'cancelled', rendezvous: null };
  expect((await reportOf(broker, runner)).reason).toBe('stopped');
  expect(isAlive(runner.boot.stateDir)).toBe(false);
  expect(isRunning(Number(child.split(' ')[1]))).toBe(false);
});

test('notice of preemption to the runner stops the job, and the end is still reported', async () => {
  const { broker, runner } = await startJob(spec('echo up; sleep 60', { outputs: ['out'] }));
  await waitFor('the job', () => broker.texts().includes('up'));
  runner.kill('SIGTERM');
  expect((await reportOf(broker, runner)).reason).toBe('preemption');
});

test('a job that forks away and ends has failed, and nothing of it stays', async () => {
  const { broker, report } = await runJob(
    spec('setsid sleep 300 & (setsid env -i sleep 301 >/dev/null 2>&1 &) ; echo started; exit 0'),
  );
  expect(report.reason).toBe('processes-left-behind');
  expect(report.message).toMatch(/2 processes.*wait/);
  expect(broker.texts('o')).toEqual(['started']);
});

test('processes that end soon after the command are no fault', async () => {
  expect((await runJob(spec('(sleep 0.3; echo late) & exit 0'))).report.reason).toBe('completed');
});

test('a job that fills memory is ended with the limit in its message', async () => {
  const hungry = ['node', '-e', 'const all = []; setInterval(() => all.push(Buffer.alloc(20e6, 1)), 20)'];
  const { report } = await runJob({
    ...spec(hungry),
    limits: { cpus: 1, memoryBytes: 300 * 1024 ** 2, diskBytes: 1e9, gpus: [] },
  });
  expect(report.reason).toBe('out-of-memory');
  expect(report.message).toMatch(/of its 300 MiB of memory.*memoryGiB/);
});

test('memory that processes share counts once', async () => {
  const sharing =
    "x=$(head -c 60000000 /dev/zero | tr '\\0' x); for i in 1 2 3 4 5 6; do (sleep 1.2; echo ${#x}) & done; wait";
  const { broker, report } = await runJob({
    ...spec(sharing),
    limits: { cpus: 1, memoryBytes: 400e6, diskBytes: 1e9, gpus: [] },
  });
  expect(report.reason).toBe('completed');
  expect(broker.texts('o')).toEqual(Array.from({ length: 6 }, () => '60000000'));
});

test('pages of a file that is mapped are not the job’s memory', async () => {
  // A copy of its own, since no other process shares its pages.
  const mapping = 'cp "$(command -v node)" ./own && ./own -e "setTimeout(() => console.log(1), 1200)"';
  const { broker, report } = await runJob({
    ...spec(mapping),
    limits: { cpus: 1, memoryBytes: 30e6, diskBytes: 1e9, gpus: [] },
  });
  expect(report.reason).toBe('completed');
  expect(broker.texts('o')).toEqual(['1']);
});

test('a job that writes more than its disk is ended', async () => {
  const { report } = await runJob({
    ...spec('head -c 60000000 /dev/zero > big; sleep 60'),
    limits: { cpus: 1, memoryBytes: 1e9, diskBytes: 20e6, gpus: [] },
  });
  expect(report.reason).toBe('disk-full');
  expect(report.message).toMatch(/diskGiB/);
});

test('a full disk that the program tells of is told as such', async () => {
  const { report } = await runJob(spec('echo "write error: No space left on device" >&2; exit 1'));
  expect(report.reason).toBe('disk-full');
});

test('a line of 100 MB ends the job with a reason, in pieces and in little memory', async () => {
  const { broker, runner } = await startJob(spec("head -c 100000000 /dev/zero | tr '\\0' x; sleep 60"));
  let peakBytes = 0;
  await waitFor('the report', () => {
    peakBytes = Math.max(peakBytes, residentBytes(runner.pid));
    return broker.reports[0];
  });
  expect(broker.reports[0]).toMatchObject({ reason: 'log-line-too-long' });
  expect(Math.max(...broker.texts('o').map((text) => text.length))).toBe(65_536);
  expect(peakBytes).toBeLessThan(200 * 1024 ** 2);
});

test('when the runner is killed, its state names what to kill', async () => {
  const { broker, runner } = await startJob(spec('echo up; sleep 300'));
  await waitFor('the job', () => broker.texts().includes('up'));
  runner.kill('SIGKILL');
  await runner.exited;
  const { pid, pgid, uid, marker } = JSON.parse(readFileSync(join(runner.boot.stateDir, 'job.json'), 'utf8')) as Record<
    string,
    unknown
  >;
  expect(uid).toBe(null);
  expect(readFileSync(`/proc/${Number(pid)}/environ`, 'utf8')).toContain(`WEIR_RUNNER_ID=${String(marker)}`);
  process.kill(-Number(pgid), 'SIGKILL');
});
