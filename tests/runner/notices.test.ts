import { onTestFinished, expect, test } from 'vitest';
import { startMetadataServer } from '../emulators/gcp/metadata-server.ts';
import { assignmentOf, startFakeBroker } from '../support/fake-broker.ts';
import { reportOf, startRunner } from '../support/runner-process.ts';
import { waitFor } from '../support/wait.ts';

/** A runner on a machine of Google Cloud, whose metadata server says what the test has it say. */
async function onGoogleCloud(command: string) {
  const instance = { preempted: 'FALSE', 'maintenance-event': 'NONE' };
  const metadata = await startMetadataServer({ tree: () => ({ instance }), token: () => undefined });
  onTestFinished(metadata.close);
  const broker = await startFakeBroker(
    assignmentOf({ spec: { name: 'a', command, checkpoints: { path: 'ckpt/' } }, graceSeconds: 600 }),
  );
  onTestFinished(broker.goAway);
  const runner = await startRunner(broker.url(), { boot: { metadataHost: metadata.host } });
  await waitFor('the job to be ready', () => broker.texts().includes('ready'));
  const tell = (changes: Partial<typeof instance>) => {
    Object.assign(instance, changes);
    metadata.changed();
  };
  return { broker, runner, tell };
}

const savesWhenTold =
  'mkdir ckpt; trap "echo step 7 > ckpt/model; exit 0" TERM; echo ready; while :; do sleep 0.05; done';

test.each([
  { notice: { preempted: 'TRUE' }, message: 'Google took the spot machine back.' },
  {
    notice: { 'maintenance-event': 'TERMINATE_ON_HOST_MAINTENANCE' },
    message: 'Google ends the machine for maintenance of its host.',
  },
])('on $notice the job is told, its last checkpoint is uploaded, and the reason is preemption', async (told) => {
  const { broker, runner, tell } = await onGoogleCloud(savesWhenTold);
  tell(told.notice);
  expect(await reportOf(broker, runner)).toMatchObject({ reason: 'preemption', message: told.message });
  expect([...broker.uploads.values()].map(({ path, bytes }) => [path, Buffer.concat(bytes).toString()])).toEqual([
    ['ckpt/model', 'step 7\n'],
  ]);
});

test('an event that is no end lets the job go on', async () => {
  const { broker, runner, tell } = await onGoogleCloud('echo ready; while ! test -e more; do sleep 0.05; done');
  tell({ 'maintenance-event': 'MIGRATE_ON_HOST_MAINTENANCE' });
  const beats = broker.heartbeats.length;
  await waitFor('two more heartbeats', () => broker.heartbeats.length >= beats + 2);
  expect(broker.reports).toEqual([]);
  runner.kill('SIGTERM');
  expect((await reportOf(broker, runner)).reason).toBe('preemption');
});
