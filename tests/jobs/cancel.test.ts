import { expect } from 'vitest';
import type { Database } from '../../src/db/database.ts';
import { requireRunner } from '../../src/instances/fence.ts';
import { accountsOf, addJob, addTenant, allRows, jobOf, startAttempt, startRunning, test } from '../instances/world.ts';
import { waitFor } from '../support/wait.ts';

/** Lets calls come to the job's row one after the other while somebody holds it, then lets go of it. */
async function meetingAtTheRow(db: Database, jobId: string, calls: (() => Promise<unknown>)[]): Promise<void> {
  const holder = await db.pool.connect();
  const called: Promise<unknown>[] = [];
  try {
    await holder.query('BEGIN');
    await holder.query('SELECT 1 FROM job WHERE id = $1 FOR UPDATE', [jobId]);
    for (const call of calls) {
      called.push(call());
      await waitFor('the call to wait for the row', async () => (await countWaiting(db)) === called.length);
    }
  } finally {
    await holder.query('COMMIT');
    holder.release();
  }
  await Promise.all(called);
}

async function countWaiting({ client }: Database): Promise<number> {
  const [row] = await client.$queryRaw<[{ count: number }]>`
    SELECT count(*)::int AS count FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  return row.count;
}

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
