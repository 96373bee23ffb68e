import { expect } from 'vitest';
import { fromUsd } from '../../src/core/money.ts';
import { committed } from '../../src/shares/store.ts';
import {
  addJob,
  addTenant,
  hourlyUsd,
  jobOf,
  lastAttempt,
  startRunning,
  test,
  type World,
} from '../instances/world.ts';

const budgetUsd = 30;

async function spentAndReserved({ db, now }: World, tenantId: string) {
  const { spentTotal, reserved } = await committed(db.client, tenantId, now());
  return { spent: spentTotal, held: spentTotal + reserved };
}

test('of many submitted and dispatched at once, no more start than the budget can hold', async ({ world }) => {
  const tenantId = await addTenant(world, { budget: { totalUsd: budgetUsd } });
  const submitAndDispatch = async () => {
    const jobId = await addJob(world, tenantId);
    // Whoever finds another at the cycle leaves it to that; the sweep would come back.
    await world.cycle();
    return jobId;
  };
  const jobIds = await Promise.all(Array.from({ length: 20 }, submitAndDispatch));
  await world.cycle();
  const states = await Promise.all(jobIds.map(async (id) => (await jobOf(world, id)).state));
  // Each reserves the p90 of its quote, nine dollars.
  expect(states.filter((state) => state === 'provisioning')).toHaveLength(3);
  expect(states.filter((state) => state === 'queued')).toHaveLength(17);
  expect((await spentAndReserved(world, tenantId)).held).toBe(fromUsd(27));
});

test(
  'jobs that run far beyond their quotes take the budget and a minute of theirs, and nothing more',
  { timeout: 120_000 },
  async ({ world }) => {
    const tenantId = await addTenant(world, { budget: { totalUsd: budgetUsd } });
    const started = [];
    for (let count = 0; count < 3; count += 1) {
      const jobId = await addJob(world, tenantId);
      started.push({ jobId, ...(await startRunning(world, jobId)) });
    }
    await addJob(world, tenantId);
    const runnersMinute = fromUsd((hourlyUsd / 60) * started.length);
    // Runners that obey nothing: they are told to stop and deliver for ever.
    for (let second = 0; second < 1_500; second += 10) {
      world.advance(10);
      for (const { tokens } of started) await world.beat(tokens[0] ?? '', 1, 'running').catch(() => undefined);
      await Promise.all([world.cycle(), world.sweep(), world.sweep()]);
      for (const { attemptId } of started) await world.settle(attemptId);
      expect((await spentAndReserved(world, tenantId)).spent).toBeLessThanOrEqual(fromUsd(budgetUsd) + runnersMinute);
    }
    for (const { jobId } of started)
      expect(await jobOf(world, jobId)).toMatchObject({ state: 'failed', reason: 'budget' });
    const { spent, held } = await spentAndReserved(world, tenantId);
    expect(held).toBe(spent);
    expect(spent).toBeGreaterThanOrEqual(fromUsd(budgetUsd));
  },
);

test('what runs past its reservation takes only what the organisation above has left', async ({ world }) => {
  const parent = await addTenant(world, { budget: { totalUsd: 20 } });
  const [first, second] = [await addTenant(world, { parent }), await addTenant(world, { parent })];
  const jobId = await addJob(world, first);
  const { tokens } = await startRunning(world, jobId);
  await startRunning(world, await addJob(world, second));
  world.advance(901);
  await world.beat(tokens[0] ?? '', 1, 'running');
  await world.sweep();
  // Two times nine dollars are reserved, a cent of the rest is spent.
  expect(Number((await jobOf(world, jobId)).reservedMicroUsd)).toBe(fromUsd(1.99));
});

test('a running machine adds to the accounts by the hour, not by the look', { timeout: 120_000 }, async ({ world }) => {
  const jobId = await addJob(world, await addTenant(world), { maxCostUsd: 1_000, resources: { nodes: 2 } });
  const { tokens } = await startRunning(world, jobId);
  const hours = 3;
  for (let minute = 0; minute < 61 * hours; minute += 1) {
    // Its lease is half a minute, so that it is heard and looked at twice in each.
    for (let half = 0; half < 2; half += 1) {
      world.advance(30);
      for (const token of tokens) await world.beat(token, 1, 'running');
    }
    await world.sweep();
  }
  expect((await lastAttempt(world, jobId)).state).toBe('running');
  // Two lines to reserve; then each hour two lines and, across the hour of the clock, at most two stretches a machine.
  expect(await world.db.client.ledgerEntry.count({ where: { jobId } })).toBe(2 + hours * 2 * tokens.length);
  expect(await world.db.client.usageEntry.count({ where: { jobId } })).toBeLessThanOrEqual(hours * 2 * tokens.length);
});
