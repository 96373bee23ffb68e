import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { FakeBroker } from '../support/fake-broker.ts';
import { residentBytes, reportOf, runJob, startJob } from '../support/runner-process.ts';
import { waitFor } from '../support/wait.ts';

const kept = (broker: FakeBroker) => [...broker.uploads.values()].filter(({ isComplete }) => isComplete);

test('files and folders named as outputs are kept, empty ones too, whether the job went well or not', async () => {
  const { broker, report } = await runJob({
    spec: {
      name: 'a',
      command: 'mkdir -p out/deep; echo model > out/deep/model; : > out/empty; echo "{}" > metrics.json; exit 1',
      outputs: ['out/', 'metrics.json', 'nothing'],
    },
  });
  expect(report.reason).toBe('exit-code');
  expect(
    kept(broker)
      .map(({ path, kind, sizeBytes }) => ({ path, kind, sizeBytes }))
      .sort((a, b) => a.path.localeCompare(b.path)),
  ).toEqual([
    { path: 'metrics.json', kind: 'output', sizeBytes: 3 },
    { path: 'out/deep/model', kind: 'output', sizeBytes: 6 },
    { path: 'out/empty', kind: 'output', sizeBytes: 0 },
  ]);
  expect(broker.texts('w')).toEqual(expect.arrayContaining(['weir: there is no output nothing to keep.']));
  expect(broker.faults).toEqual([]);
});

test('the whole working directory may be an output, and links that keep nothing are told', async () => {
  const { broker } = await runJob({
    spec: {
      name: 'a',
      command: 'mkdir -p runs/1; echo model > runs/1/model; ln -s runs/1 latest; ln -s model runs/1/best',
      outputs: ['./', 'latest'],
      checkpoints: { path: 'latest' },
    },
  });
  expect(kept(broker).map(({ path, kind }) => [path, kind])).toEqual([['runs/1/model', 'output']]);
  const rule = 'and links are not followed: name in the spec what they lead to.';
  expect(broker.texts('w')).toEqual([
    `weir: of latest, latest is a link, ${rule}`,
    `weir: of ./, latest and 1 more are links, ${rule}`,
    `weir: of latest, latest is a link, ${rule}`,
  ]);
});

test('checkpoints are kept while the job runs, and again when they change', async () => {
  const { broker, runner } = await startJob({
    spec: {
      name: 'a',
      command: 'mkdir ckpt; echo 1 > ckpt/last; while ! test -e go; do sleep 0.05; done; echo second > ckpt/last',
      checkpoints: { path: 'ckpt/' },
    },
  });
  await waitFor('the first checkpoint', () => kept(broker).length === 1);
  writeFileSync(join(runner.boot.workDir, 'go'), '');
  await reportOf(broker, runner);
  expect(kept(broker).map(({ path, kind, bytes }) => [path, kind, Buffer.concat(bytes).toString()])).toEqual([
    ['ckpt/last', 'checkpoint', '1\n'],
    ['ckpt/last', 'checkpoint', 'second\n'],
  ]);
});

test('an upload that is cut goes on where it stopped', async () => {
  const { broker, runner } = await startJob({
    spec: { name: 'a', command: 'head -c 200000000 /dev/urandom > big', outputs: ['big'] },
  });
  await waitFor('the upload to be under way', () =>
    [...broker.uploads.values()].some(({ received }) => received > 1_000_000),
  );
  await broker.goAway();
  await broker.comeBack();
  const report = await reportOf(broker, runner);
  expect(report).toMatchObject({ reason: 'completed', exitCode: 0 });
  expect(kept(broker).map(({ path, received }) => [path, received])).toEqual([['big', 200_000_000]]);
  expect(broker.faults).toEqual([]);
});

test('which files are a checkpoint together is told when all lie still and are stored, and again when one is gone', async () => {
  const { broker, runner } = await startJob({
    spec: {
      name: 'a',
      command: [
        'mkdir -p ckpt/1 ckpt/2; echo 1 > ckpt/1/model; echo 2 > ckpt/2/model; echo 2 > ckpt/2/optimiser',
        'while ! test -e go; do sleep 0.05; done; rm -r ckpt/1; mkdir ckpt/3; echo 3 > ckpt/3/config',
        'while ! test -e stop; do echo x >> ckpt/3/model; sleep 0.05; done',
      ].join('; '),
      checkpoints: { path: 'ckpt/' },
    },
  });
  await waitFor('the first checkpoint', () => broker.checkpoints.length === 1);
  writeFileSync(join(runner.boot.workDir, 'go'), '');
  await waitFor('a part of the next to be stored', () => kept(broker).some(({ path }) => path === 'ckpt/3/config'));
  writeFileSync(join(runner.boot.workDir, 'stop'), '');
  await reportOf(broker, runner);
  // Nothing is told of what the job was still at.
  expect(broker.checkpoints).toEqual([
    ['ckpt/1/model', 'ckpt/2/model', 'ckpt/2/optimiser'],
    ['ckpt/2/model', 'ckpt/2/optimiser', 'ckpt/3/config', 'ckpt/3/model'],
  ]);
});

test('a checkpoint that is cut short while it is sent is sent as what is left of it', async () => {
  const { broker, runner } = await startJob({
    spec: {
      name: 'a',
      command:
        'mkdir ckpt; head -c 40000000 /dev/urandom > ckpt/last; while ! test -e go; do sleep 0.05; done; echo short > ckpt/last',
      checkpoints: { path: 'ckpt/' },
    },
  });
  const held = Promise.withResolvers<void>();
  broker.objectsHeld = held.promise;
  await waitFor('the upload to be under way', () => broker.uploads.size > 0);
  writeFileSync(join(runner.boot.workDir, 'go'), '');
  await waitFor('the file to be cut short', () => statSync(join(runner.boot.workDir, 'ckpt/last')).size === 6);
  held.resolve();
  expect(await reportOf(broker, runner)).toMatchObject({ reason: 'completed' });
  expect(Buffer.concat(kept(broker).at(-1)?.bytes ?? []).toString()).toBe('short\n');
});

test('a bucket that fails on and on is given up, and the job has ended', async () => {
  const { broker, runner } = await startJob({
    spec: { name: 'a', command: 'echo x > out; echo up; sleep 0.5', outputs: ['out'] },
    leaseSeconds: 0.2,
  });
  await waitFor('the job', () => broker.texts().includes('up'));
  broker.misbehave({ path: '/objects/', status: 500, problem: 'unavailable', isLasting: true });
  expect(await reportOf(broker, runner)).toMatchObject({
    reason: 'upload-failed',
    message: expect.stringContaining('out: the object store has taken nothing for too long: it answered HTTP 500'),
  });
});

test('files may have any name that is UTF-8 and not endless; another fails the job as its own fault', async () => {
  const { broker, report } = await runJob({
    spec: {
      name: 'a',
      command: [
        'mkdir out; cd out; touch "$(printf \'two\\nlines\\033[31m\')" "$(printf \'caf\\351\')"',
        'long=$(printf x%.0s $(seq 210)); mkdir -p $long/$long/$long/$long/$long; touch $long/$long/$long/$long/$long/z',
      ].join('; '),
      outputs: ['out'],
    },
  });
  expect(kept(broker).map(({ path }) => path)).toEqual(['out/two\nlines\u001b[31m']);
  expect(report).toMatchObject({ reason: 'output-refused', exitCode: 0 });
  expect(report.message).toMatch(/out\/caf\ufffd: its name is not UTF-8, rename it/);
  expect(report.message).toMatch(/out\/xxx.*…: its path has more than 1024 bytes, give it a shorter one/);
});

test('neither outputs nor checkpoints lead out of the working directory by a link, not even to names', async () => {
  const { broker, runner } = await startJob({
    spec: {
      name: 'a',
      command: 'ln -s / root; mkdir epoch-3; echo x > epoch-3/model; ln -s epoch-3 best; sleep 2',
      outputs: ['root/etc/ssl', 'root/etc', 'best/model'],
      checkpoints: { path: 'root/etc/ssl' },
    },
  });
  expect(await reportOf(broker, runner)).toMatchObject({ reason: 'completed' });
  expect(broker.texts('w')).toEqual([
    'weir: there is no output root/etc/ssl to keep.',
    'weir: there is no output root/etc to keep.',
  ]);
  expect(kept(broker).map(({ path }) => path)).toEqual(['best/model']);
});

test('files that are longer than the job’s disk are neither read nor sent, however little of it they take', async () => {
  const { broker, report } = await runJob({
    spec: {
      name: 'a',
      command: 'mkdir out ckpt; truncate -s 1T out/x; truncate -s 2T ckpt/x; truncate -s 20M out/a out/b; sleep 2.5',
      outputs: ['out/'],
      checkpoints: { path: 'ckpt/' },
    },
    limits: { cpus: 1, memoryBytes: 2e9, diskBytes: 2 ** 25, gpus: [] },
  });
  expect(report).toMatchObject({ reason: 'output-refused', exitCode: 0 });
  expect(report.message).toMatch(
    /ckpt\/x: with its 2048.0 GiB, holes included, the files to keep are more than the job's 32 MiB of disk; write less/,
  );
  expect(report.message).toMatch(/out\/b: with its 20 MiB, .*out\/x: with its 1024.0 GiB/);
  expect(kept(broker).map(({ path }) => path)).toEqual(['out/a']);
});

test('results that the broker will not have fail the job', async () => {
  const { broker, runner } = await startJob({
    spec: { name: 'a', command: 'echo x > out; echo up; sleep 0.5', outputs: ['out'] },
  });
  await waitFor('the job', () => broker.texts().includes('up'));
  broker.misbehave({ path: '/v1/runner/uploads', status: 413, problem: 'too-large' });
  const report = await reportOf(broker, runner);
  expect(report.reason).toBe('output-refused');
  expect(report.message).toContain('out: too-large');
});

const refusal = { path: '/v1/runner/uploads', status: 503, problem: 'storage-refused', isLasting: true } as const;
const checkpointing = {
  name: 'a',
  command: 'mkdir ckpt; echo 1 > ckpt/last; while ! test -e go; do sleep 0.05; done; echo 2 > ckpt/last; sleep 60',
  checkpoints: { path: 'ckpt/' },
  outputs: ['ckpt/last'],
};

test('storage that refuses for the lease’s time ends the job by a reason of its own, and what was kept before stays', async () => {
  const { broker, runner } = await startJob({ spec: checkpointing, leaseSeconds: 0.5 });
  await waitFor('the first checkpoint', () => kept(broker).length === 1);
  broker.misbehave(refusal);
  writeFileSync(join(runner.boot.workDir, 'go'), '');
  const report = await reportOf(broker, runner);
  expect(report).toMatchObject({
    reason: 'storage-refused',
    message: 'The job was stopped, since ckpt/last could not be kept: storage-refused',
  });
  expect(kept(broker).map(({ bytes }) => Buffer.concat(bytes).toString())).toEqual(['1\n']);
});

test('storage that is put right within that time has cost nothing', async () => {
  const { broker, runner } = await startJob({
    spec: { ...checkpointing, command: checkpointing.command.replace('; sleep 60', '') },
  });
  await waitFor('the first checkpoint', () => kept(broker).length === 1);
  let refused = 0;
  broker.misbehave({ ...refusal, onCall: () => (refused += 1) });
  writeFileSync(join(runner.boot.workDir, 'go'), '');
  await waitFor('the runner to be refused twice', () => refused >= 2);
  broker.behave();
  expect(await reportOf(broker, runner)).toMatchObject({ reason: 'completed' });
  expect(kept(broker).map(({ kind, bytes }) => `${kind} ${Buffer.concat(bytes).toString().trim()}`)).toEqual([
    'checkpoint 1',
    'checkpoint 2',
    'output 2',
  ]);
});

test('2 GiB are uploaded in little memory', async () => {
  const { broker, runner } = await startJob({
    spec: { name: 'a', command: 'head -c 2147483648 /dev/zero > big', outputs: ['big'] },
  });
  let peakBytes = 0;
  await waitFor(
    'the report',
    () => {
      peakBytes = Math.max(peakBytes, residentBytes(runner.pid));
      return broker.reports[0];
    },
    120_000,
  );
  expect(kept(broker).map(({ received }) => received)).toEqual([2 ** 31]);
  expect(broker.faults).toEqual([]);
  expect(peakBytes).toBeLessThan(200 * 1024 ** 2);
}, 150_000);
