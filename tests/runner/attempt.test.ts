import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { assignmentOf, startFakeBroker } from '../support/fake-broker.ts';
import { isAlive, reportOf, runJob, startJob, startRunner } from '../support/runner-process.ts';
import { waitFor } from '../support/wait.ts';

test('a job runs, its lines arrive in order, and its end is reported', async () => {
  const { broker, runner, report } = await runJob({
    spec: { name: 'hello', command: 'echo one; echo two >&2; echo three; echo weir progress 3/4 steps' },
  });
  expect(report).toMatchObject({ attempt: 1, reason: 'completed', exitCode: 0, lines: 4 });
  expect(broker.texts('o')).toEqual(['one', 'three', 'weir progress 3/4 steps']);
  expect(broker.texts('e')).toEqual(['two']);
  expect(broker.faults).toEqual([]);
  expect(broker.heartbeats.at(-1)).toMatchObject({
    stage: 'uploading',
    progress: { done: 3, total: 4, unit: 'steps' },
  });
  expect(await runner.exited).toBe(0);
  expect(existsSync(runner.bootPath)).toBe(false);
});

test('the token is on disk, for the runner alone, before it is told to the broker', async () => {
  const { broker, runner } = await startJob({ spec: { name: 'a', command: 'sleep 30' } });
  await waitFor('the claim', () => broker.claims.length > 0);
  const path = join(runner.boot.stateDir, 'token');
  expect(readFileSync(path, 'utf8')).toBe(broker.claims[0]?.token);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(runner.boot.stateDir).mode & 0o777).toBe(0o700);
});

test('a claim whose answer is lost is repeated with the same token', async () => {
  const broker = await startFakeBroker(assignmentOf());
  broker.misbehave({ path: '/v1/runner/claim', dropsAnswer: true });
  const runner = await startRunner(broker.url());
  expect((await reportOf(broker, runner)).reason).toBe('completed');
  expect(broker.claims.length).toBe(2);
  expect(broker.claims[0]?.token).toBe(broker.claims[1]?.token);
  await broker.goAway();
});

test('a runner whose claim storage refuses asks again until that is put right', async () => {
  const broker = await startFakeBroker(assignmentOf());
  onTestFinished(broker.goAway);
  let refused = 0;
  const how = { path: '/v1/runner/claim', status: 503, problem: 'storage-refused', isLasting: true } as const;
  broker.misbehave({ ...how, onCall: () => (refused += 1) });
  const runner = await startRunner(broker.url());
  await waitFor('the runner to be refused twice', () => refused >= 2);
  broker.behave();
  expect(await reportOf(broker, runner)).toMatchObject({ reason: 'completed' });
});

test('a runner whose claim is refused leaves at once', async () => {
  const broker = await startFakeBroker(assignmentOf());
  broker.misbehave({ path: '/v1/runner/claim', status: 401, problem: 'unauthorized' });
  const runner = await startRunner(broker.url());
  expect(await runner.exited).toBe(1);
  expect(broker.heartbeats).toEqual([]);
  await broker.goAway();
});

test('a broker that goes away and comes back gets every line once and in order', async () => {
  const { broker, runner } = await startJob({
    spec: {
      name: 'a',
      command:
        'for i in $(seq 1 2000); do echo line $i; done; touch half; while ! test -e more; do sleep 0.05; done; for i in $(seq 2001 4000); do echo line $i; done',
    },
  });
  await waitFor('the first lines', () => broker.records.length >= 100);
  await broker.goAway();
  await waitFor('the job to go on', () => existsSync(join(runner.boot.workDir, 'half')));
  writeFileSync(join(runner.boot.workDir, 'more'), '');
  await waitFor('the job to end', () => !isAlive(runner.boot.stateDir));
  await broker.comeBack();
  const report = await reportOf(broker, runner);
  expect(report).toMatchObject({ reason: 'completed', lines: 4000 });
  expect(broker.texts('o')).toEqual(Array.from({ length: 4000 }, (_, index) => `line ${index + 1}`));
  expect(broker.faults).toEqual([]);
});

test('calls whose answers are lost are repeated and nothing is doubled', async () => {
  const broker = await startFakeBroker(
    assignmentOf({
      spec: {
        name: 'a',
        command: 'for i in 1 2 3 4 5; do echo $i; sleep 0.15; done; echo x > out.txt',
        outputs: ['out.txt'],
      },
    }),
  );
  for (const path of [
    '/v1/runner/logs',
    '/v1/runner/logs',
    '/v1/runner/heartbeat',
    '/v1/runner/uploads/',
    '/objects/',
    '/v1/runner/report',
  ])
    broker.misbehave({ path, dropsAnswer: true });
  const runner = await startRunner(broker.url());
  await reportOf(broker, runner);
  expect(broker.texts('o')).toEqual(['1', '2', '3', '4', '5']);
  expect(broker.faults).toEqual([]);
  expect([...broker.uploads.values()].filter(({ isComplete }) => isComplete).map(({ path }) => path)).toEqual([
    'out.txt',
  ]);
  await broker.goAway();
});

test('an attempt that is over is left at once and its job is killed', async () => {
  const { broker, runner } = await startJob({
    spec: { name: 'a', command: "trap '' TERM; echo up; while true; do sleep 0.1; done" },
  });
  await waitFor('the job', () => broker.texts().includes('up'));
  broker.misbehave({ path: '/v1/runner/heartbeat', status: 409, problem: 'stale-attempt' });
  expect(await runner.exited).toBe(1);
  expect(isAlive(runner.boot.stateDir)).toBe(false);
  expect(broker.reports).toEqual([]);
});

test('a runner whose log or beat the broker will not take leaves, says why, and leaves no job behind', async () => {
  for (const path of ['/v1/runner/logs', '/v1/runner/heartbeat']) {
    const { broker, runner } = await startJob({
      spec: { name: 'a', command: 'echo up; while ! test -e go; do sleep 0.05; done; echo more; sleep 60' },
    });
    await waitFor('the job', () => broker.texts().includes('up'));
    broker.misbehave({ path, status: 400, problem: 'invalid' });
    writeFileSync(join(runner.boot.workDir, 'go'), '');
    expect(await runner.exited).toBe(1);
    expect(runner.stderr()).toContain('invalid');
    expect(isAlive(runner.boot.stateDir)).toBe(false);
  }
});
