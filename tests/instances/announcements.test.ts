import { describe, expect } from 'vitest';
import { findShownJob } from '../../src/jobs/shown-store.ts';
import { jobView } from '../../src/jobs/view.ts';
import { addJob, addTenant, jobOf, startRunning, test, type World } from './world.ts';

/** In the world of these tests a second costs a cent, and every job is quoted ten minutes, five to fifteen. */
const eventsOf = async ({ db }: World, jobId: string, type: string) =>
  (await db.client.jobEvent.findMany({ where: { jobId, type } })).map(({ message }) => message);

async function progressOf(world: World, jobId: string) {
  const shown = await findShownJob(world.db.client, jobId, world.now());
  const view = shown && jobView(shown, world.now());
  const eta = Date.parse(view?.progress?.eta.p50 ?? '') - world.now().getTime();
  return { ...view?.progress, secondsLeft: eta / 1000 };
}

/** The job says each `every` seconds that one more step of `total` is done. */
async function work(
  world: World,
  {
    token,
    attempt,
    from,
    to,
    total,
    every,
  }: { token: string; attempt: number; from: number; to: number; total: number; every: number },
) {
  for (let done = from + 1; done <= to; done++) {
    world.advance(every);
    await world.beat(token, attempt, 'running', { done, total, unit: 'steps', ageMs: 0 });
  }
}

describe('a running job', () => {
  test('is forecast from its own speed, and says once that it will leave its quote', async ({ world }) => {
    const jobId = await addJob(world, await addTenant(world));
    const { tokens } = await startRunning(world, jobId);
    const token = tokens[0] ?? '';
    expect((await progressOf(world, jobId)).secondsLeft).toBeCloseTo(600, 0);

    await work(world, { token, attempt: 1, from: 0, to: 10, total: 100, every: 20 });
    const { secondsLeft, expectedCostUsd, done, total, unit } = await progressOf(world, jobId);
    expect({ done, total, unit }).toEqual({ done: 10, total: 100, unit: 'steps' });
    expect(secondsLeft).toBeGreaterThan(1600);
    expect(secondsLeft).toBeLessThan(1820);
    expect(expectedCostUsd).toBeCloseTo(2 + secondsLeft / 100, 1);

    for (let round = 0; round < 3; round++) await world.sweep();
    const [message, ...more] = await eventsOf(world, jobId, 'forecast.left-quote');
    expect(message).toMatch(/^It will take longer than quoted: 3\d min .* instead of 10 min \(5 min to 15 min\)\.$/);
    expect(more).toEqual([]);
    expect((await jobOf(world, jobId)).announced).toEqual(['forecast.left-quote']);
  });

  test('whose speed keeps its quote says nothing', async ({ world }) => {
    const jobId = await addJob(world, await addTenant(world));
    const { tokens } = await startRunning(world, jobId);
    await work(world, { token: tokens[0] ?? '', attempt: 1, from: 0, to: 10, total: 100, every: 6 });
    await world.sweep();
    expect((await jobOf(world, jobId)).announced).toEqual([]);
  });

  test('that is tried again goes on from its checkpoint, in its forecast too', async ({ world }) => {
    const jobId = await addJob(world, await addTenant(world));
    const first = await startRunning(world, jobId);
    await work(world, { token: first.tokens[0] ?? '', attempt: 1, from: 0, to: 50, total: 100, every: 6 });
    await world.end(first.tokens[0] ?? '', 1, 'preemption');
    await world.settle(first.attemptId);
    world.advance(10);
    const second = await startRunning(world, jobId);
    expect(second.number).toBe(2);
    await work(world, { token: second.tokens[0] ?? '', attempt: 2, from: 39, to: 40, total: 100, every: 6 });
    expect((await progressOf(world, jobId)).secondsLeft).toBeGreaterThan(300);
    expect((await progressOf(world, jobId)).secondsLeft).toBeLessThan(380);
  });

  test('near its maxCostUsd says so, then stops with its checkpoint', async ({ world }) => {
    const url = 'https://example.org/hook';
    const webhooks = [{ url, events: ['cost.nearing-limit' as const] }];
    const jobId = await addJob(world, await addTenant(world), { maxCostUsd: 1, webhooks });
    const { tokens } = await startRunning(world, jobId);
    await world.sweep();
    world.advance(79);
    await world.beat(tokens[0] ?? '', 1, 'running');
    await world.sweep();
    expect(await eventsOf(world, jobId, 'cost.nearing-limit')).toEqual([]);
    world.advance(2);
    for (let round = 0; round < 3; round++) await world.sweep();
    expect(await eventsOf(world, jobId, 'cost.nearing-limit')).toEqual([
      expect.stringMatching(
        /^It is heading over its limit: it has cost \$0\.8\d* and is expected to cost \$\d.*maxCostUsd is \$1/,
      ),
    ]);
    expect((await jobOf(world, jobId)).state).toBe('running');
    const [delivery, ...others] = await world.db.client.webhookDelivery.findMany({ where: { jobId } });
    expect([others, JSON.parse(delivery?.body ?? '')]).toMatchObject([
      [],
      { type: 'cost.nearing-limit', data: { job: jobId, state: 'running', attempt: 1 } },
    ]);
    world.advance(19);
    await world.beat(tokens[0] ?? '', 1, 'running');
    await world.sweep();
    expect(await jobOf(world, jobId)).toMatchObject({ state: 'stopping', reason: 'max-cost' });
    // The runner is told to stop it: SIGTERM, the grace, and its last checkpoint.
    expect(await world.beat(tokens[0] ?? '', 1)).toMatchObject({ directive: 'stop', reason: 'max-cost' });
  });

  test('that reaches its maxCostUsd between two looks still says so before it stops', async ({ world }) => {
    const jobId = await addJob(world, await addTenant(world), { maxCostUsd: 0.1 });
    await startRunning(world, jobId);
    world.advance(15);
    await world.sweep();
    expect(await eventsOf(world, jobId, 'cost.nearing-limit')).toHaveLength(1);
    expect(await jobOf(world, jobId)).toMatchObject({ state: 'stopping', reason: 'max-cost' });
  });
});
