import { expect } from 'vitest';
import { findShownJob } from '../../src/jobs/shown-store.ts';
import { jobView } from '../../src/jobs/view.ts';
import type { Offer } from '../../src/protocol/quote.ts';
import { machineCosts } from '../../src/shares/end-of-use.ts';
import { readUse } from '../../src/shares/use-store.ts';
import { expectAgreement } from './agreement.ts';
import { fallSilent } from './silence.ts';
import { accountsOf, addJob, addTenant, jobOf, startRunning, test } from './world.ts';

test('preempted time is paid, and what is left of maxCostUsd is what the next attempt reserves', async ({ world }) => {
  const tenantId = await addTenant(world, { budget: { totalUsd: 1 } });
  const jobId = await addJob(world, tenantId, { maxCostUsd: 1 });
  const first = await startRunning(world, jobId);
  world.advance(20);
  await world.end(first.tokens[0] ?? '', 1, 'preemption');
  await world.settle(first.attemptId);
  expect(await accountsOf(world, jobId)).toEqual({ available: -200_000, reserved: 0, spent: 200_000 });
  world.advance(5);
  const second = await startRunning(world, jobId);
  expect(await jobOf(world, jobId)).toMatchObject({ reservedMicroUsd: 800_000n, chargedMicroUsd: 200_000n });
  expect(await accountsOf(world, jobId)).toEqual({ available: -1_000_000, reserved: 800_000, spent: 200_000 });
  world.advance(10);
  await world.end(second.tokens[0] ?? '', 2);
  await world.settle(second.attemptId);
  expect(await accountsOf(world, jobId)).toEqual({ available: -300_000, reserved: 0, spent: 300_000 });
  expect(await jobOf(world, jobId)).toMatchObject({
    state: 'succeeded',
    reservedMicroUsd: 0n,
    chargedMicroUsd: 300_000n,
  });
});

test('what runs past its reservation reserves another hour while no budget limits it', async ({ world }) => {
  const jobId = await addJob(world, await addTenant(world));
  const { tokens, attemptId } = await startRunning(world, jobId);
  expect(await accountsOf(world, jobId)).toMatchObject({ reserved: 9_000_000, spent: 0 });
  world.advance(901);
  await world.beat(tokens[0] ?? '', 1, 'running');
  await world.sweep();
  await world.sweep();
  expect(await accountsOf(world, jobId)).toMatchObject({ reserved: 36_000_000, spent: 9_010_000 });
  await expectAgreement(world, jobId);
  world.advance(9);
  await world.end(tokens[0] ?? '', 1);
  await world.settle(attemptId);
  expect(await accountsOf(world, jobId)).toEqual({ available: -9_100_000, reserved: 0, spent: 9_100_000 });
  await expectAgreement(world, jobId);
});

test('what runs past its reservation takes what the budget still has, and then stops', async ({ world }) => {
  const jobId = await addJob(world, await addTenant(world, { budget: { monthlyUsd: 10, totalUsd: 9.5 } }));
  const { tokens, attemptId } = await startRunning(world, jobId);
  world.advance(901);
  await world.beat(tokens[0] ?? '', 1, 'running');
  await world.sweep();
  expect(await accountsOf(world, jobId)).toMatchObject({ reserved: 490_000, spent: 9_010_000 });
  await expectAgreement(world, jobId);
  world.advance(50);
  await world.beat(tokens[0] ?? '', 1, 'running');
  await world.sweep();
  expect(await jobOf(world, jobId)).toMatchObject({ state: 'stopping', reason: 'budget' });
  await expectAgreement(world, jobId);
  world.advance(5);
  await world.end(tokens[0] ?? '', 1, 'stopped');
  await world.settle(attemptId);
  expect(await jobOf(world, jobId)).toMatchObject({ state: 'failed', reason: 'budget' });
  await expectAgreement(world, jobId);
});

test('each hour is written into the accounts as it passes, and given back where infrastructure fails', async ({
  world,
}) => {
  const jobId = await addJob(world, await addTenant(world), { maxCostUsd: 200, resources: { nodes: 2 } });
  const { tokens, attemptId } = await startRunning(world, jobId);
  for (const hours of [1, 2]) {
    world.advance(3_601);
    for (const token of tokens) await world.beat(token, 1, 'running');
    await world.sweep();
    expect((await accountsOf(world, jobId)).spent).toBe(hours * 36_010_000);
    await expectAgreement(world, jobId);
  }
  await fallSilent(world);
  expect(await jobOf(world, jobId)).toMatchObject({ state: 'stopping', reason: 'heartbeat-lost' });
  await world.settle(attemptId);
  expect(await accountsOf(world, jobId)).toEqual({ available: 0, reserved: 0, spent: 0 });
  await expectAgreement(world, jobId);
});

test('maxCostUsd is of all attempts together, also of what is in the accounts already', async ({ world }) => {
  const jobId = await addJob(world, await addTenant(world), { maxCostUsd: 40 });
  const { tokens } = await startRunning(world, jobId);
  for (const seconds of [3_601, 398]) {
    world.advance(seconds);
    await world.beat(tokens[0] ?? '', 1, 'running');
    await world.sweep();
    expect((await jobOf(world, jobId)).state).toBe('running');
  }
  world.advance(1);
  await world.beat(tokens[0] ?? '', 1, 'running');
  await world.sweep();
  expect(await jobOf(world, jobId)).toMatchObject({ state: 'stopping', reason: 'max-cost' });
});

test('what machines cost after their job has left them is the operator’s, a line of its own, and in no share', async ({
  world,
}) => {
  const jobId = await addJob(world, await addTenant(world));
  const { tokens, attemptId } = await startRunning(world, jobId);
  world.advance(20);
  await world.cancel(jobId);
  world.advance(5);
  await world.beat(tokens[0] ?? '', 1, 'uploading');
  await world.end(tokens[0] ?? '', 1, 'stopped');
  const shown = async () => {
    const row = await findShownJob(world.db.client, jobId, world.now());
    if (row === undefined) throw new Error(`${jobId} is not there`);
    const { cost, attempts } = jobView(row, world.now());
    return { ...cost, ofAttempt: attempts[0]?.residualUsd };
  };
  world.advance(30);
  const use = (at: Date) =>
    readUse(
      world.db.client,
      { from: new Date(0), to: at, tenantIds: null, live: { now: at, rates: { cpu: 1 } } },
      'all',
    );
  const before = await use(world.now());
  expect(before).toMatchObject([{ acceleratorSeconds: 25, microUsd: 250_000 }]);
  expect(await shown()).toMatchObject({ accruedUsd: 0.25, finalUsd: null, residualUsd: 0.3, ofAttempt: 0.3 });
  await world.settle(attemptId);
  expect(await shown()).toMatchObject({ accruedUsd: 0.25, finalUsd: 0.25, residualUsd: 0.3, ofAttempt: 0.3 });
  expect(await use(world.now())).toEqual(before);
  await expectAgreement(world, jobId);
});

test.for([
  ['by its provider’s record', 25, 50_000],
  ['when its runner was last heard, where the provider has no record', undefined, 0],
] as const)(
  'a machine that ended while weir was away cost nothing after its end, %s',
  async ([, endedAfter, residual], { world }) => {
    const jobId = await addJob(world, await addTenant(world));
    const { tokens, attemptId } = await startRunning(world, jobId);
    const { instances } = await jobOf(world, jobId).then(({ attempts }) => attempts[0] ?? { instances: [] });
    const name = instances[0]?.name ?? '';
    if (endedAfter !== undefined) world.provider.ends.set(name, new Date(world.now().getTime() + endedAfter * 1000));
    world.advance(20);
    await world.end(tokens[0] ?? '', 1);
    world.provider.vanish(name);
    world.advance(7_200);
    await world.settle(attemptId);
    const { attempts, ...job } = await jobOf(world, jobId);
    expect(job).toMatchObject({ state: 'succeeded', chargedMicroUsd: 200_000n });
    const [attempt] = attempts.map(({ offer, ...row }) => ({ ...row, offer: offer as unknown as Offer }));
    expect(attempt && machineCosts(attempt, world.now())).toEqual({ used: 200_000, residual });
    await expectAgreement(world, jobId);
  },
);

test('a machine that was off when weir came back is not metered, though it is still to be deleted', async ({
  world,
}) => {
  const jobId = await addJob(world, await addTenant(world));
  const { attemptId } = await startRunning(world, jobId);
  const [machine] = world.provider.machines.values();
  const stoppedAt = new Date(world.now().getTime() + 30_000);
  Object.assign(machine ?? {}, { stoppedAt });
  world.provider.ends.set(machine?.name ?? '', stoppedAt);
  world.advance(7_200);
  await world.sweep();
  expect(await jobOf(world, jobId)).toMatchObject({ state: 'stopping', chargedMicroUsd: 0n });
  await world.settle(attemptId);
  expect(world.provider.machines.size).toBe(0);
  const { attempts } = await jobOf(world, jobId);
  expect(attempts[0]?.instances[0]?.goneAt).toEqual(stoppedAt);
  await expectAgreement(world, jobId);
});

test('the ledger grows by what changes: machines that run on are written once an hour, however often one looks', async ({
  world,
}) => {
  const tenantId = await addTenant(world);
  const machines = [];
  for (let machine = 0; machine < 2; machine += 1)
    machines.push(await startRunning(world, await addJob(world, tenantId)));
  const hours = 3;
  for (let minute = 0; minute < hours * 60; minute += 5) {
    for (const { tokens, number } of machines) await world.beat(tokens[0] ?? '', number, 'running');
    await world.sweep();
    world.advance(300);
  }
  const { rows } = await world.db.pool.query<{ count: number }>(
    `SELECT count(DISTINCT transaction_id)::int AS count FROM ledger_entry`,
  );
  // Its start; then, each time, a charge and what it reserves anew: what ran past its quote, and the hours.
  expect(rows[0]?.count).toBeLessThanOrEqual(machines.length * (1 + 2 * (1 + hours)));
  expect(rows[0]?.count).toBeGreaterThanOrEqual(machines.length * hours);
  expect(world.errors).toEqual([]);
});
