import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { assignmentOf, startFakeBroker } from '../support/fake-broker.ts';
import { reportOf, startJob, startRunner } from '../support/runner-process.ts';
import { waitFor } from '../support/wait.ts';

test('a node of a gang starts its command once all have met', async () => {
  const { broker, runner } = await startJob({
    spec: { name: 'a', command: 'echo "$NODE_RANK of $NNODES at $MASTER_ADDR:$MASTER_PORT"; echo "$TF_CONFIG"' },
    node: 1,
    nodes: 2,
  });
  await waitFor('some heartbeats', () => broker.heartbeats.length >= 3);
  expect(broker.records).toEqual([]);
  expect(broker.claims[0]?.port).toBeGreaterThan(0);
  broker.directive = {
    directive: 'continue',
    reason: null,
    rendezvous: [
      { address: '10.0.0.1', port: 7001 },
      { address: '127.0.0.1', port: 7002 },
    ],
  };
  await reportOf(broker, runner);
  expect(broker.texts('o')[0]).toBe('1 of 2 at 10.0.0.1:7001');
  expect(JSON.parse(broker.texts('o')[1] ?? '')).toEqual({
    cluster: { worker: ['10.0.0.1:7001', '127.0.0.1:7002'] },
    task: { type: 'worker', index: 1 },
  });
});

test('a gang that never meets can be stopped', async () => {
  const { broker, runner } = await startJob({ spec: { name: 'a', command: 'echo never' }, nodes: 2 });
  await waitFor('a heartbeat', () => broker.heartbeats.length > 0);
  broker.directive = { directive: 'stop', reason: 'cancelled', rendezvous: null };
  expect((await reportOf(broker, runner)).reason).toBe('stopped');
  expect(broker.texts('o')).toEqual([]);
});

test('a machine of the runner’s own is shut down when there was no broker for the lease; another goes on', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'weir-shutdown-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, 'shutdown'), `#!/bin/sh\necho "$@" > ${directory}/called\n`);
  chmodSync(join(directory, 'shutdown'), 0o755);
  const starts = [true, false].map(async (ownsMachine) => {
    const broker = await startFakeBroker(
      assignmentOf({ spec: { name: 'a', command: 'echo up; sleep 4' }, leaseSeconds: 1, graceSeconds: 0.3 }),
    );
    const runner = await startRunner(broker.url(), {
      boot: { ownsMachine },
      env: { PATH: `${directory}:${process.env['PATH'] ?? ''}` },
    });
    await waitFor('the job', () => broker.texts().includes('up'));
    await broker.goAway();
    return { broker, runner };
  });
  const [own, shared] = await Promise.all(starts);
  expect(await own?.runner.exited).toBe(1);
  await waitFor('the shutdown', () => existsSync(join(directory, 'called')));
  if (shared === undefined) throw new Error('there is a second runner');
  await shared.broker.comeBack();
  expect((await reportOf(shared.broker, shared.runner)).reason).toBe('completed');
  await shared.broker.goAway();
});
