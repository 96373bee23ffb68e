import { afterEach, describe, expect, vi } from 'vitest';
import { recordMoney } from '../../src/jobs/store.ts';
import { isAwaited, whileHeld } from '../support/meeting.ts';
import { fallSilent } from './silence.ts';
import { addJob, addTenant, jobOf, startAttempt, startRunning, test, type World } from './world.ts';

afterEach(() => void vi.useRealTimers());

const reasonOf = async (world: World, jobId: string) => (await jobOf(world, jobId)).attempts.at(-1)?.reason;

describe('while one step of a round hangs', () => {
  /** Of two jobs, the sweep has to stop the first, and finds its row held. */
  async function startTwo(world: World) {
    const tenantId = await addTenant(world);
    const dear = await addJob(world, tenantId, { maxCostUsd: 0.3 });
    const first = await startRunning(world, dear);
    const heard = await addJob(world, tenantId);
    const second = await startRunning(world, heard);
    const beat = async () => void (await world.beat(second.tokens[0] ?? '', 1, 'running'));
    world.advance(29);
    await world.beat(first.tokens[0] ?? '', 1, 'running');
    await beat();
    world.advance(2);
    return { dear, heard, beat };
  }
  const rowOf = (jobId: string) => `SELECT 1 FROM job WHERE id = '${jobId}' FOR UPDATE`;

  test('a runner that is heard keeps its attempt, however long the round takes', async ({ world, db }) => {
    const { dear, heard, beat } = await startTwo(world);
    let swept: Promise<void> | undefined;
    await whileHeld(db, rowOf(dear), async () => {
      swept = world.sweep();
      await isAwaited(db, 1);
      world.advance(25);
      await beat();
      world.advance(25);
    });
    await swept;
    expect(await reasonOf(world, dear)).toBe('max-cost');
    expect((await jobOf(world, heard)).state).toBe('running');
  });

  test('one that is heard again before it is given up goes on', async ({ world, db }) => {
    const { dear, heard, beat } = await startTwo(world);
    world.advance(31);
    let swept: Promise<void> | undefined;
    await whileHeld(db, rowOf(dear), async () => {
      swept = world.sweep();
      await isAwaited(db, 1);
      await beat();
    });
    await swept;
    expect((await jobOf(world, heard)).state).toBe('running');
    await fallSilent(world);
    expect(await reasonOf(world, heard)).toBe('heartbeat-lost');
  });
});

describe('while a provider can’t be asked what it shows', () => {
  test('what jobs may cost, and runners that fall silent, are looked after all the same', async ({ world }) => {
    const tenantId = await addTenant(world);
    const dear = await addJob(world, tenantId, { maxCostUsd: 0.3 });
    const lost = await addJob(world, tenantId);
    const stopping = await addJob(world, tenantId);
    const { tokens } = await startRunning(world, dear);
    await startRunning(world, lost);
    const { attemptId } = await startRunning(world, stopping);
    await world.cancel(stopping);
    world.advance(31);
    await world.beat(tokens[0] ?? '', 1, 'running');
    world.woken.length = 0;
    world.provider.fail('list', 'unavailable');
    await world.sweep();
    expect(await reasonOf(world, dear)).toBe('max-cost');
    expect(await reasonOf(world, lost)).toBe('heartbeat-lost');
    expect(world.woken).toContain(`settle ${attemptId}`);
    expect(world.errors).toMatchObject([{ code: 'unavailable' }]);
  });

  test('nothing is concluded of its machines', async ({ world }) => {
    const jobId = await addJob(world, await addTenant(world));
    await startRunning(world, jobId);
    world.advance(10);
    world.provider.machines.clear();
    world.provider.fail('list', 'unavailable');
    await world.sweep();
    expect((await jobOf(world, jobId)).state).toBe('running');
    await world.sweep();
    expect(await reasonOf(world, jobId)).toBe('instance-vanished');
  });

  test('one that does not answer is not waited for', async ({ world }) => {
    const jobId = await addJob(world, await addTenant(world), { maxCostUsd: 0.1 });
    await startRunning(world, jobId);
    world.advance(20);
    world.provider.fail('list', 'slow');
    await sweepPastPatience(world);
    world.provider.release();
    expect(await reasonOf(world, jobId)).toBe('max-cost');
  });
});

/** A round in which the provider is slow, until it is waited for no more. */
async function sweepPastPatience(world: World): Promise<void> {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const isSlow = world.provider.whenSlow();
  const swept = world.sweep();
  await isSlow;
  vi.advanceTimersByTime(10_000);
  vi.useRealTimers();
  await swept;
}

test('machines without a row that are slow to go keep no round from what jobs may cost', async ({ world }) => {
  const jobId = await addJob(world, await addTenant(world), { maxCostUsd: 0.1 });
  await startRunning(world, jobId);
  const [running] = world.provider.machines.values();
  if (running === undefined) throw new Error('no machine runs');
  world.provider.machines.set('stray', { ...running, name: 'stray' });
  world.provider.fail('destroy', 'slow');
  await sweepPastPatience(world);
  world.advance(20);
  await world.sweep();
  expect(await reasonOf(world, jobId)).toBe('max-cost');
  world.provider.release();
  await vi.waitFor(() => expect([...world.provider.machines.keys()]).toEqual([running.name]));
});

test('after hours without a database a runner has a whole lease to be heard again', async ({ world }) => {
  const jobId = await addJob(world, await addTenant(world));
  const { tokens } = await startRunning(world, jobId);
  await world.sweep();
  world.advance(7_200);
  await world.sweep();
  world.advance(29);
  await world.beat(tokens[0] ?? '', 1, 'running');
  await world.sweep();
  expect((await jobOf(world, jobId)).state).toBe('running');
  await fallSilent(world);
  expect(await reasonOf(world, jobId)).toBe('heartbeat-lost');
});

test('what is written into the accounts while a round reads them counts once', async ({ world, db }) => {
  const jobId = await addJob(world, await addTenant(world), { maxCostUsd: 0.3 });
  const { attemptId } = await startRunning(world, jobId);
  world.advance(20);
  let swept: Promise<void> | undefined;
  await db.transaction(async (tx) => {
    // A round reads the attempt before it reads the job, and finds that one held.
    await tx.$executeRaw`LOCK TABLE job`;
    swept = world.sweep();
    await isAwaited(db, 1);
    await recordMoney(tx, { jobId, attemptId, charged: 200_000, before: 0, reserved: 100_000 });
  });
  await swept;
  expect(await jobOf(world, jobId)).toMatchObject({ state: 'running', announced: [] });
});

test('a gang loses its attempt with the first of its nodes that falls silent', async ({ world }) => {
  const jobId = await addJob(world, await addTenant(world), { resources: { nodes: 2 } });
  const { tokens } = await startAttempt(world, jobId);
  const [lead = '', hung = ''] = tokens;
  for (const token of [lead, hung]) await world.beat(token, 1);
  for (let beat = 0; beat < 4; beat += 1) {
    world.advance(10);
    await world.beat(lead, 1, 'running');
    await world.sweep();
  }
  expect(await jobOf(world, jobId)).toMatchObject({
    state: 'stopping',
    reason: 'heartbeat-lost',
    message: 'The runner of node 1 was not heard for 30 s.',
  });
});
