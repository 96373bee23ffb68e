import { expect } from 'vitest';
import { createBootStage } from '../../src/instances/boot-stage.ts';
import { createStop } from '../../src/jobs/stop.ts';
import { addJob, addTenant, jobOf, lastAttempt, startAttempt, test } from './world.ts';

test('what a machine is doing before its runner is up stands in its job’s history, and one that can’t come up ends its attempt', async ({
  world,
}) => {
  const { db, now } = world;
  const stop = createStop({ db, now, wakeSettle: async () => undefined });
  const tell = createBootStage({ db, now, secretKey: Buffer.alloc(32, 7), stop });
  const jobId = await addJob(world, await addTenant(world));
  await world.cycle();
  const [instance] = (await lastAttempt(world, jobId)).instances;
  const { id, name } = instance ?? { id: '', name: '' };
  await world.launch(id);
  const bootstrapToken = world.provider.machines.get(name)?.bootstrapToken ?? '';

  world.advance(12);
  await tell({ bootstrapToken, stage: 'fetching-runner', message: '' });
  const event = await db.client.jobEvent.findFirst({ where: { jobId, type: 'instance.fetching-runner' } });
  expect(event?.message).toBe(`${name} in z fetches the runner, 12 s after it was asked for.`);
  await expect(tell({ bootstrapToken: `${id}.forged`, stage: 'booted', message: '' })).rejects.toMatchObject({
    code: 'unauthorized',
  });

  await tell({ bootstrapToken, stage: 'failed', message: 'The checksum differs.' });
  expect(await jobOf(world, jobId)).toMatchObject({
    state: 'stopping',
    reason: 'provisioning-failed',
    message: `${name} in z: The checksum differs.`,
  });
  await expect(tell({ bootstrapToken, stage: 'booted', message: '' })).rejects.toMatchObject({ code: 'stale-attempt' });
});

test('once the runner has claimed, the bootstrap token says nothing more', async ({ world }) => {
  const { db, now } = world;
  const stop = createStop({ db, now, wakeSettle: async () => undefined });
  const tell = createBootStage({ db, now, secretKey: Buffer.alloc(32, 7), stop });
  const jobId = await addJob(world, await addTenant(world));
  await startAttempt(world, jobId);
  const [machine] = world.provider.machines.values();
  const late = tell({ bootstrapToken: machine?.bootstrapToken ?? '', stage: 'failed', message: '' });
  await expect(late).rejects.toMatchObject({ code: 'stale-attempt' });
});
