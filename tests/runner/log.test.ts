import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { reportOf, residentBytes, runJob, startJob } from '../support/runner-process.ts';
import { waitFor } from '../support/wait.ts';

test('secrets reach the job and not its log, however the job writes them', async () => {
  const { broker } = await runJob({
    spec: {
      name: 'a',
      command: 'echo "[$TOKEN]"; printf hun; sleep 0.3; echo ter2; echo "$TOKEN" >&2; echo "$KEY"',
      secrets: ['TOKEN', 'KEY'],
    },
    secrets: { TOKEN: 'hunter2', KEY: 'first long line\nsecond long line' },
  });
  expect(broker.texts('o')).toEqual(['[***]', '***', '***']);
  expect(broker.texts('e')).toEqual(['***']);
});

test('the first line arrives while the job still runs, and lines carry the time they were written', async () => {
  const { broker, runner } = await startJob({
    spec: { name: 'a', command: 'echo first; sleep 0.5; echo second; while ! test -e go; do sleep 0.05; done' },
  });
  await waitFor('the second line', () => broker.records.length === 2);
  const [first, second] = broker.records;
  expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(400);
  runner.kill('SIGTERM');
  await reportOf(broker, runner);
});

test('output is a pipe that programs may open by name', async () => {
  const { broker } = await runJob({
    spec: { name: 'a', command: 'echo out > /dev/stdout; echo err | tee /dev/stderr' },
  });
  expect(broker.texts('o')).toEqual(['out', 'err']);
  expect(broker.texts('e')).toEqual(['err']);
});

test('while the broker is away a log of 300 MB waits on disk, not in memory, and arrives whole', async () => {
  const { broker, runner } = await startJob({
    spec: {
      name: 'a',
      command:
        'echo up; while ! test -e go; do sleep 0.05; done; head -c 240000000 /dev/urandom | base64 -w 1999 | head -n 150000; touch done',
    },
  });
  await waitFor('the job', () => broker.texts().includes('up'));
  await broker.goAway();
  writeFileSync(join(runner.boot.workDir, 'go'), '');
  await waitFor('the job to have written', () => existsSync(join(runner.boot.workDir, 'done')), 60_000);
  expect(readdirSync(join(runner.boot.stateDir, 'log'))).not.toEqual([]);
  expect(residentBytes(runner.pid)).toBeLessThan(300 * 1024 ** 2);
  await broker.comeBack();
  const report = await reportOf(broker, runner, 60_000);
  expect(report.lines).toBe(150_001);
  expect(broker.records.length).toBe(150_001);
  expect(broker.faults).toEqual([]);
}, 120_000);
