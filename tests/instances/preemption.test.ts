import { expect } from 'vitest';
import { newId } from '../../src/core/ids.ts';
import { addJob, addTenant, jobOf, lastAttempt, startRunning, test, timing } from './world.ts';

/** One machine for one job at a time: the scripted cloud made small. */
const oneJob = { cpus: 1, memoryBytes: 1e12, diskBytes: 1e13, gpus: { kind: 'none', count: 0 } };

test('a borrower gets notice, makes way, and goes on at its place, with what it lost counted', async ({
  world,
  db,
}) => {
  world.provider.capacity = async () => oneJob;
  const owner = await addTenant(world, { guaranteed: { cpu: 1 } });
  const borrower = await addTenant(world);
  const lent = await addJob(world, borrower, { retries: { max: 0 } });
  const { attemptId, tokens } = await startRunning(world, lent);
  world.advance(600);
  await db.client.artifact.create({
    data: {
      id: newId('artifact'),
      jobId: lent,
      tenantId: borrower,
      attempt: 1,
      node: 0,
      path: 'ckpt/1',
      kind: 'checkpoint',
      objectKey: 'k',
      sizeBytes: 1,
      sha256: '0'.repeat(64),
      md5: '0'.repeat(32),
      createdAt: world.now(),
      verifiedAt: world.now(),
      namedAt: world.now(),
    },
  });
  world.advance(90);
  const claiming = await addJob(world, owner);
  await world.cycle();
  expect(await jobOf(world, lent)).toMatchObject({ state: 'stopping', reason: 'preemption' });
  expect(world.woken).toContain(`settle ${attemptId}`);
  expect(await world.beat(tokens[0] ?? '', 1)).toMatchObject({ directive: 'stop', reason: 'preemption' });
  expect((await jobOf(world, claiming)).waiting).toMatchObject({ blockers: [{ code: 'capacity' }] });
  const { type, message } = await db.client.jobEvent.findFirstOrThrow({
    where: { jobId: claiming },
    orderBy: { id: 'desc' },
  });
  expect([type, message]).toEqual(['dispatch.claimed', expect.stringMatching(/^A job of another tenant makes way/)]);

  await world.cycle();
  await world.end(tokens[0] ?? '', 1, 'stopped');
  await world.settle(attemptId);
  await world.settle(attemptId);
  const back = await jobOf(world, lent);
  expect(back).toMatchObject({ state: 'queued', failedAttempts: 0, notBefore: null });
  expect(back.attempts[0]).toMatchObject({ reason: 'preemption', preemptedFor: claiming, lostSeconds: 90 });

  await world.cycle();
  expect((await jobOf(world, claiming)).state).toBe('provisioning');
  expect((await jobOf(world, lent)).state).toBe('queued');
  expect(world.errors).toEqual([]);
});

test('a job is let run for its minimum first', async ({ world }) => {
  world.provider.capacity = async () => oneJob;
  const [owner, borrower] = [await addTenant(world, { guaranteed: { cpu: 1 } }), await addTenant(world)];
  const lent = await addJob(world, borrower);
  await startRunning(world, lent);
  world.advance(timing.graceMs / 1000);
  await addJob(world, owner);
  await world.cycle();
  expect((await jobOf(world, lent)).state).toBe('running');
  world.advance(60);
  await world.cycle();
  expect((await lastAttempt(world, lent)).reason).toBe('preemption');
});

test('a job that was asked to make way and ends its work within the grace has succeeded', async ({ world }) => {
  world.provider.capacity = async () => oneJob;
  const [owner, borrower] = [await addTenant(world, { guaranteed: { cpu: 1 } }), await addTenant(world)];
  const lent = await addJob(world, borrower);
  const { attemptId, tokens } = await startRunning(world, lent);
  world.advance(90);
  const claiming = await addJob(world, owner);
  await world.cycle();
  expect(await jobOf(world, lent)).toMatchObject({ state: 'stopping', reason: 'preemption' });
  await world.end(tokens[0] ?? '', 1, 'completed');
  await world.settle(attemptId);
  await world.settle(attemptId);
  const ended = await jobOf(world, lent);
  expect(ended).toMatchObject({ state: 'succeeded', reason: 'completed', failedAttempts: 0 });
  expect(ended.attempts).toMatchObject([{ state: 'succeeded', preemptedFor: claiming, lostSeconds: 0 }]);
  await world.cycle();
  expect((await jobOf(world, claiming)).state).toBe('provisioning');
});
