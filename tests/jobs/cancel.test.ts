import { expect } from 'vitest';
import { requireRunner } from '../../src/instances/fence.ts';
import { accountsOf, addJob, addTenant, allRows, jobOf, startAttempt, startRunning, test } from '../instances/world.ts';
import { meetingAtTheRow } from '../support/meeting.ts';

test('a job that becomes running at that moment is stopped', async ({ world, db }) => {
  const jobId = await addJob(world, await addTenant(world));
  const { tokens } = await startAttempt(world, jobId);
  await meetingAtTheRow(db, jobId, [() => world.beat(tokens[0] ?? '', 1), () => world.cancel(jobId)]);
  expect((await jobOf(world, jobId)).state).toBe('stopping');
});

test('a stop and a heartbeat that meet wait for each other, not in a circle', async ({ world, db }) => {
  const jobId = await addJob(world, await addTenant(world));
  const { tokens } = await startRunning(world, jobId);
  const runner = await requireRunner(db, tokens[0] ?? '', 1);
  const progress = { done: 1, total: 2, unit: null };
  const beat = () => world.heartbeat(runner, { attempt: 1, stage: 'running', progress });
  await meetingAtTheRow(db, jobId, [() => world.cancel(jobId), beat]);
  expect((await jobOf(world, jobId)).state).toBe('stopping');
  expect(await beat()).toMatchObject({ directive: 'stop', reason: 'cancelled' });
});

test('a job that is stopping to be tried again is not tried again', async ({ world }) => {
  const jobId = await addJob(world, await addTenant(world));
  const { tokens, attemptId } = await startRunning(world, jobId);
  await world.end(tokens[0] ?? '', 1, 'runner-error');
  await world.cancel(jobId);
  await world.cancel(jobId);
  await world.settle(attemptId);
  expect(await jobOf(world, jobId)).toMatchObject({
    state: 'cancelled',
    reason: 'cancelled',
    attempts: [{ reason: 'runner-error' }],
  });
  expect(await accountsOf(world, jobId)).toEqual({ available: 0, reserved: 0, spent: 0 });
});

test('what has ended well before stays so', async ({ world }) => {
  const jobId = await addJob(world, await addTenant(world));
  const { tokens, attemptId } = await startRunning(world, jobId);
  await world.end(tokens[0] ?? '', 1);
  await world.cancel(jobId);
  await world.settle(attemptId);
  const rows = await allRows(world);
  await world.cancel(jobId);
  expect(await allRows(world)).toEqual(rows);
  expect((await jobOf(world, jobId)).state).toBe('succeeded');
});
