import { expect } from 'vitest';
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
