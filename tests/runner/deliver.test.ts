import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { FakeBroker } from '../support/fake-broker.ts';
import { deliverLeftLog, spooledLines, startJob, type RunnerProcess } from '../support/runner-process.ts';
import { waitFor } from '../support/wait.ts';

const lines = 5000;

/** A runner that was killed while its broker was away, with most of its log unsent. */
async function killedWithLog(): Promise<{ broker: FakeBroker; runner: RunnerProcess; spool: string }> {
  const command = `echo up; while ! test -e go; do sleep 0.05; done; seq ${lines - 1}; sleep 600`;
  const { broker, runner } = await startJob({ spec: { name: 'a', command } });
  const { stateDir, workDir } = runner.boot;
  const spool = join(stateDir, 'log');
  await waitFor('the first line', () => broker.texts().includes('up'));
  await broker.goAway();
  writeFileSync(join(workDir, 'go'), '');
  await waitFor('the lines to be on disk', async () => (await spooledLines(stateDir)) >= lines - 1);
  runner.kill('SIGKILL');
  await runner.exited;
  const { pgid } = JSON.parse(readFileSync(join(stateDir, 'job.json'), 'utf8')) as { pgid: number };
  process.kill(-pgid, 'SIGKILL');
  await broker.comeBack();
  return { broker, runner, spool };
}

const whole = ['up', ...Array.from({ length: lines - 1 }, (_, index) => String(index + 1))];

test('what a killed runner had not sent is delivered by another process, each line once, and leaves the disk', async () => {
  const { broker, runner, spool } = await killedWithLog();
  expect(broker.texts().length).toBeLessThan(lines);
  expect(await deliverLeftLog(runner)).toBe(0);
  expect(broker.texts('o')).toEqual(whole);
  expect(broker.faults).toEqual([]);
  expect(readdirSync(spool)).toEqual([]);
});

test('a file cut short or spoilt by a crash gives what was written whole', async () => {
  const { broker, runner, spool } = await killedWithLog();
  const [name = ''] = readdirSync(spool);
  const bytes = readFileSync(join(spool, name));
  writeFileSync(join(spool, name), Buffer.concat([bytes, bytes.subarray(0, bytes.length - 1)]));
  expect(await deliverLeftLog(runner)).toBe(0);
  expect(broker.texts('o')).toEqual(whole);
});

test('a broker that is away is left alone after a while, and what it has not taken stays', async () => {
  const { broker, runner, spool } = await killedWithLog();
  await broker.goAway();
  expect(await deliverLeftLog(runner)).toBe(1);
  expect(readdirSync(spool)).not.toEqual([]);
  await broker.comeBack();
  expect(await deliverLeftLog(runner)).toBe(0);
  expect(broker.texts('o')).toEqual(whole);
});

test('nothing is delivered for an attempt that is over', async () => {
  const { broker, runner, spool } = await killedWithLog();
  const before = broker.records.length;
  broker.misbehave({ path: '/v1/runner/logs', status: 409, problem: 'stale-attempt' });
  expect(await deliverLeftLog(runner)).toBe(1);
  expect(broker.records.length).toBe(before);
  expect(existsSync(spool)).toBe(false);
});
