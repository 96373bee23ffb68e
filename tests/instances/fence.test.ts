import { expect } from 'vitest';
import { WeirError } from '../../src/core/errors.ts';
import { newToken } from '../../src/core/tokens.ts';
import { requireRunner } from '../../src/instances/fence.ts';
import {
  addJob,
  addTenant,
  allRows,
  createWorld,
  jobOf,
  lastAttempt,
  reportOf,
  startAttempt,
  startRunning,
  test,
  type World,
} from './world.ts';

/** Fails the first attempt by infrastructure and starts the second. */
async function startSecond(world: World, jobId: string) {
  const first = await startRunning(world, jobId);
  await world.end(first.tokens[0] ?? '', 1, 'runner-error');
  await world.settle(first.attemptId);
  world.advance(5);
  return { first, second: await startRunning(world, jobId) };
}

test('late calls of an older attempt are refused and change nothing', async ({ world }) => {
  const jobId = await addJob(world, await addTenant(world));
  const { first } = await startSecond(world, jobId);
  const rows = await allRows(world);
  const [token = ''] = first.tokens;
  const late = [
    () => world.beat(token, 1),
    () => world.beat(token, 2),
    () => world.end(token, 1),
    () => world.end(token, 2),
    () => requireRunner(world.db, token, 1),
  ];
  for (const call of late) await expect(call()).rejects.toMatchObject({ code: 'stale-attempt' });
  await world.launch(first.instanceIds[0] ?? '');
  await world.settle(first.attemptId);
  expect(await allRows(world)).toEqual(rows);
});

test('a call that was past the fence when its attempt ended is refused too', async ({ world }) => {
  const jobId = await addJob(world, await addTenant(world));
  const first = await startRunning(world, jobId);
  const runner = await requireRunner(world.db, first.tokens[0] ?? '', 1);
  await world.end(first.tokens[0] ?? '', 1, 'runner-error');
  await world.settle(first.attemptId);
  world.advance(5);
  await startAttempt(world, jobId);
  const rows = await allRows(world);
  const progress = { done: 1, total: 2, unit: null };
  await expect(world.report(runner, reportOf(1))).rejects.toMatchObject({ code: 'stale-attempt' });
  await expect(world.heartbeat(runner, { attempt: 1, stage: 'preparing', progress })).rejects.toMatchObject({
    code: 'stale-attempt',
  });
  expect(await allRows(world)).toEqual(rows);
});

test('a runner that comes for a job that is stopping is sent away', async ({ world }) => {
  const jobId = await addJob(world, await addTenant(world));
  await world.cycle();
  const { instances } = await lastAttempt(world, jobId);
  await world.launch(instances[0]?.id ?? '');
  const bootstrapToken = world.provider.machines.get(instances[0]?.name ?? '')?.bootstrapToken ?? '';
  await world.cancel(jobId);
  const rows = await allRows(world);
  await expect(world.claim(bootstrapToken, newToken())).rejects.toMatchObject({ code: 'stale-attempt' });
  expect(await allRows(world)).toEqual(rows);
});

test('a job whose secret is gone when its machine comes ends by that', async ({ world }) => {
  const jobId = await addJob(world, await addTenant(world), { secrets: ['HF_TOKEN'] });
  await world.cycle();
  const { instances } = await lastAttempt(world, jobId);
  await world.launch(instances[0]?.id ?? '');
  const bootstrapToken = world.provider.machines.get(instances[0]?.name ?? '')?.bootstrapToken ?? '';
  await expect(world.claim(bootstrapToken, newToken())).rejects.toMatchObject({ code: 'stale-attempt' });
  expect(await jobOf(world, jobId)).toMatchObject({
    state: 'stopping',
    reason: 'input-unavailable',
    message: expect.stringContaining('no secret HF_TOKEN'),
  });
});

test('storage that refuses when a machine comes is waited for as long as a lease, then the attempt ends by that', async ({
  world,
}) => {
  const jobId = await addJob(world, await addTenant(world));
  await world.cycle();
  const { instances } = await lastAttempt(world, jobId);
  await world.launch(instances[0]?.id ?? '');
  const bootstrapToken = world.provider.machines.get(instances[0]?.name ?? '')?.bootstrapToken ?? '';
  const token = newToken();
  world.storage.refusal = new WeirError('storage-refused', 'The storage of this service refuses.');
  await expect(world.claim(bootstrapToken, token)).rejects.toMatchObject({ code: 'storage-refused' });
  world.advance(30);
  await expect(world.claim(bootstrapToken, token)).rejects.toMatchObject({ code: 'storage-refused' });
  world.advance(1);
  await expect(world.claim(bootstrapToken, token)).rejects.toMatchObject({ code: 'stale-attempt' });
  expect(await jobOf(world, jobId)).toMatchObject({ state: 'stopping', reason: 'storage-refused' });
});

test('a launch that fails late leaves the next attempt alone', async ({ world }) => {
  const jobId = await addJob(world, await addTenant(world));
  await world.cycle();
  const first = await lastAttempt(world, jobId);
  world.provider.fail('create', 'slow');
  const isSlow = world.provider.whenSlow();
  const launching = world.launch(first.instances[0]?.id ?? '');
  await isSlow;
  world.advance(61);
  await world.sweep();
  await world.settle(first.id);
  world.advance(5);
  await startRunning(world, jobId);
  const rows = await allRows(world);
  world.provider.fail('create', 'no-capacity');
  world.provider.release();
  await launching;
  expect(await allRows(world)).toEqual(rows);
  expect([...world.provider.machines.keys()]).toEqual([(await lastAttempt(world, jobId)).instances[0]?.name]);
});

test('a sweep that looked before a retry leaves the next attempt alone', async ({ world, db }) => {
  const jobId = await addJob(world, await addTenant(world));
  const first = await startRunning(world, jobId);
  world.advance(31);
  const other = createWorld({
    ...db,
    // Between what it read and what it does about it, the job goes on elsewhere.
    transaction: async (work) => {
      await world.end(first.tokens[0] ?? '', 1, 'runner-error');
      await world.settle(first.attemptId);
      world.advance(5);
      await startRunning(world, jobId);
      return db.transaction(work);
    },
  });
  for (const [name, machine] of world.provider.machines) other.provider.machines.set(name, machine);
  other.advance(31);
  await other.sweep();
  expect(await jobOf(world, jobId)).toMatchObject({ state: 'running', attemptNumber: 2 });
});

test('a settling that was held up leaves the next attempt and its money alone', async ({ world }) => {
  const jobId = await addJob(world, await addTenant(world));
  const first = await startRunning(world, jobId);
  await world.end(first.tokens[0] ?? '', 1, 'preemption');
  world.provider.fail('list', 'slow');
  const settling = world.settle(first.attemptId);
  await world.provider.whenSlow();
  await Promise.all([world.settle(first.attemptId), world.settle(first.attemptId)]);
  world.advance(5);
  await startRunning(world, jobId);
  const rows = await allRows(world);
  world.provider.release();
  await settling;
  expect(await allRows(world)).toEqual(rows);
});
