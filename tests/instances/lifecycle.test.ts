import { describe, expect } from 'vitest';
import { WeirError } from '../../src/core/errors.ts';
import { newToken } from '../../src/core/tokens.ts';
import { fallSilent } from './silence.ts';
import { accountsOf, addJob, addTenant, allRows, jobOf, lastAttempt, startRunning, test, type World } from './world.ts';

const eventsOf = async ({ db }: World, jobId: string) =>
  (await db.client.jobEvent.findMany({ where: { jobId }, orderBy: { id: 'asc' } })).flatMap(({ to }) => to ?? []);

describe('repeating', () => {
  test('each verb repeated at any point changes nothing', async ({ world }) => {
    const jobId = await addJob(world, await addTenant(world));
    const steps: [string, () => Promise<unknown>][] = [];
    const token = newToken();
    const attempt = () => lastAttempt(world, jobId);
    const instance = async () => (await attempt()).instances[0];
    const machine = () => [...world.provider.machines.values()][0];
    steps.push(['cycle', () => world.cycle()]);
    steps.push(['launch', async () => world.launch((await instance())?.id ?? '')]);
    let bootstrapToken = '';
    steps.push(['claim', () => world.claim((bootstrapToken ||= machine()?.bootstrapToken ?? ''), token)]);
    steps.push(['heartbeat', () => world.beat(token, 1)]);
    steps.push(['report', () => world.end(token, 1)]);
    steps.push(['settle', async () => world.settle((await attempt()).id)]);
    steps.push(['sweep', () => world.sweep()]);
    for (const [index, [name, step]] of steps.entries()) {
      await step();
      const rows = await allRows(world);
      for (const [earlier, repeat] of steps.slice(0, index + 1)) {
        // What is over is refused; what is refused changes nothing either.
        await repeat().catch((error: unknown) =>
          expect(error).toMatchObject({ code: expect.stringMatching(/stale-attempt|unauthorized/) }),
        );
        expect(await allRows(world), `${earlier} after ${name}`).toEqual(rows);
      }
    }
    expect(await jobOf(world, jobId)).toMatchObject({ state: 'succeeded', attempts: [{ state: 'succeeded' }] });
    expect(await eventsOf(world, jobId)).toEqual(['queued', 'provisioning', 'running', 'stopping', 'succeeded']);
  });

  test('a claim repeated by the same runner is answered the same; another runner is refused', async ({ world }) => {
    const jobId = await addJob(world, await addTenant(world));
    await world.cycle();
    await world.launch((await lastAttempt(world, jobId)).instances[0]?.id ?? '');
    const bootstrapToken = [...world.provider.machines.values()][0]?.bootstrapToken ?? '';
    const token = newToken();
    const assignment = await world.claim(bootstrapToken, token);
    expect(await world.claim(bootstrapToken, token)).toEqual(assignment);
    await expect(world.claim(bootstrapToken, newToken())).rejects.toMatchObject({ code: 'unauthorized' });
  });
});

test('what ends is compared with its quote where it tells how long the work takes: done, or stopped at its maxDuration', async ({
  world,
}) => {
  const tenantId = await addTenant(world);
  const due: Record<string, boolean> = {};
  for (const reason of ['completed', 'max-duration', 'exit-code'] as const) {
    const jobId = await addJob(world, tenantId);
    const { tokens } = await startRunning(world, jobId);
    for (const token of tokens) await world.end(token, 1, reason);
    await world.settle((await lastAttempt(world, jobId)).id);
    due[reason] = (await world.db.client.calibrationDue.count({ where: { jobId } })) === 1;
  }
  expect(due).toEqual({ completed: true, 'max-duration': true, 'exit-code': false });
});

describe('machines', () => {
  test('one that was made while another provider was slow to answer is not taken for lost', async ({ world }) => {
    const jobId = await addJob(world, await addTenant(world));
    world.provider.fail('list', 'slow');
    // The answer is of the moment it was asked for, though it arrives late.
    const { list } = world.provider;
    world.provider.list = async () => {
      const seen = [...world.provider.machines.values()];
      await list();
      return seen;
    };
    const sweeping = world.sweep();
    await startRunning(world, jobId);
    world.advance(10);
    world.provider.release();
    await sweeping;
    expect((await jobOf(world, jobId)).state).toBe('running');
  });

  test('made with the first of their attempt, the others are there since that is, and are not asked for', async ({
    world,
  }) => {
    world.provider.madeTogether = () => true;
    const jobId = await addJob(world, await addTenant(world), { resources: { nodes: 2 } });
    await world.cycle();
    const machines = async () => (await lastAttempt(world, jobId)).instances;
    const [first, second] = (await machines()).map(({ id }) => id);
    await world.launch(second ?? '');
    expect([...world.provider.machines]).toEqual([]);
    await world.launch(first ?? '');
    const createdAt = world.now();
    world.advance(2);
    await world.launch(second ?? '');
    expect(await machines()).toMatchObject([
      { state: 'booting', createdAt },
      { state: 'booting', createdAt },
    ]);
    expect(world.provider.machines.size).toBe(1);
  });

  test('made for an attempt that was given up meanwhile, it is taken away again', async ({ world }) => {
    const jobId = await addJob(world, await addTenant(world));
    await world.cycle();
    const { id, instances } = await lastAttempt(world, jobId);
    world.provider.fail('create', 'slow');
    const launching = world.launch(instances[0]?.id ?? '');
    await world.cancel(jobId);
    await world.settle(id);
    world.provider.release();
    await launching;
    expect(world.provider.machines.size).toBe(0);
    expect((await jobOf(world, jobId)).state).toBe('cancelled');
  });

  test('nothing is concluded of machines while their provider can’t be asked', async ({ world }) => {
    const jobId = await addJob(world, await addTenant(world));
    await startRunning(world, jobId);
    world.advance(10);
    const rows = await allRows(world);
    world.provider.fail('list', 'unavailable');
    await world.sweep();
    expect(await allRows(world)).toEqual(rows);
    expect(world.errors).toHaveLength(1);
  });

  test('one that no row wants is destroyed, one that a row wants is made again', async ({ world }) => {
    const jobId = await addJob(world, await addTenant(world));
    const labels = { installation: 'inl', tenant: 't', job: 'j', attempt: 1 };
    world.provider.machines.set('weir-stray-1-0', { name: 'weir-stray-1-0', zone: 'z', labels, bootstrapToken: '' });
    await world.cycle();
    const { instances } = await lastAttempt(world, jobId);
    world.woken.length = 0;
    world.advance(3);
    await world.sweep();
    expect(world.provider.machines.size).toBe(0);
    expect(world.woken).toEqual([`launch ${instances[0]?.id}`]);
  });

  test('one that can’t be destroyed keeps its job from its end, but none of the others from theirs', async ({
    world,
  }) => {
    const jobId = await addJob(world, await addTenant(world), { resources: { nodes: 3 } });
    const { tokens, attemptId } = await startRunning(world, jobId);
    for (const token of tokens) await world.end(token, 1);
    const refusal = new WeirError('invalid', 'The zone is not found.');
    world.provider.fail('destroy', refusal);
    await expect(world.settle(attemptId)).rejects.toBe(refusal);
    expect((await lastAttempt(world, jobId)).instances.map(({ state }) => state)).toEqual(['ready', 'gone', 'gone']);
    // What is not shown any more is gone, whatever was answered when it was asked to end.
    world.provider.fail('destroy', refusal);
    world.provider.machines.clear();
    await world.settle(attemptId);
    expect(await jobOf(world, jobId)).toMatchObject({ state: 'succeeded' });
  });

  test('a gang that lost one machine loses all, and starts again whole', async ({ world }) => {
    const jobId = await addJob(world, await addTenant(world), { resources: { nodes: 3 } });
    const { attemptId } = await startRunning(world, jobId);
    world.provider.vanish((await lastAttempt(world, jobId)).instances[1]?.name ?? '');
    world.advance(6);
    await world.sweep();
    expect(await jobOf(world, jobId)).toMatchObject({ state: 'stopping', reason: 'instance-vanished' });
    await world.settle(attemptId);
    expect(world.provider.machines.size).toBe(0);
    world.advance(3);
    await startRunning(world, jobId);
    expect(world.provider.machines.size).toBe(3);
    expect(await jobOf(world, jobId)).toMatchObject({ state: 'running', attemptNumber: 2 });
  });
});

describe('retries and money', () => {
  test('what infrastructure spoils is refunded and tried again, later each time, until it is enough', async ({
    world,
  }) => {
    const jobId = await addJob(world, await addTenant(world), { retries: { max: 2 } });
    const pauses: number[] = [];
    for (const number of [1, 2, 3]) {
      const { attemptId } = await startRunning(world, jobId);
      await fallSilent(world);
      await world.settle(attemptId);
      const { state, reason, notBefore, attempts } = await jobOf(world, jobId);
      expect({ state, reason }).toEqual({ state: number === 3 ? 'failed' : 'queued', reason: 'heartbeat-lost' });
      expect(attempts.at(-1)).toMatchObject({ number, state: 'failed', costMicroUsd: 0n });
      expect(await accountsOf(world, jobId)).toEqual({ available: 0, reserved: 0, spent: 0 });
      if (number < 3) pauses.push((notBefore?.getTime() ?? 0) - world.now().getTime());
      await world.cycle();
      expect((await jobOf(world, jobId)).attempts, 'no start before the pause is over').toHaveLength(number);
      world.advance(10);
    }
    expect(pauses).toEqual([2_000, 4_000]);
    expect(await jobOf(world, jobId)).toMatchObject({ reservedMicroUsd: 0n, chargedMicroUsd: 0n });
  });

  test('the hundredth retry waits no longer than anyone would', async ({ world, db }) => {
    const jobId = await addJob(world, await addTenant(world), { retries: { max: 100 } });
    await db.client.job.update({ where: { id: jobId }, data: { failedAttempts: 98 } });
    const { attemptId, tokens } = await startRunning(world, jobId);
    await world.end(tokens[0] ?? '', 1, 'runner-error');
    await world.settle(attemptId);
    const { state, notBefore } = await jobOf(world, jobId);
    expect(state).toBe('queued');
    expect((notBefore?.getTime() ?? 0) - world.now().getTime()).toBe(15 * 60_000);
  });
});
