import { expect } from 'vitest';
import { createReadQuotas } from '../../src/dispatch/quotas.ts';
import { adjust } from '../../src/shares/store.ts';
import { addJob, addTenant, jobOf, startRunning, test } from '../instances/world.ts';
import { decideRound } from '../../src/dispatch/decide.ts';
import { createDescribe } from '../../src/dispatch/describe.ts';
import { byTenant } from '../../src/dispatch/order.ts';
import { openState } from '../../src/dispatch/state.ts';
import { choice, job, minute, pool, running, snapshot, tenant } from './snapshots.ts';

test('who waits for an accelerator is told of the end of a job that holds one, not of those on cores', () => {
  const seen = snapshot({
    pools: [pool({ cpus: 10, gpus: { kind: 'H100', free: [] } })],
    tenants: [tenant('a'), tenant('b', { running: 2 })],
    running: [
      running('job_cpu', 'a', 5 * minute),
      running('job_gpu', 'a', 9 * minute, { choice: choice({ gpus: 1 }) }),
    ],
    queued: [job('job_waits', 'a', { choices: [choice({ gpus: 1 })] })],
  });
  const state = openState(seen);
  const { waits } = decideRound(state, byTenant(seen.queued));
  const told = waits[0]?.blockers.map((obstacle) => createDescribe(state)(obstacle, 'a').unblocks);
  expect(told).toEqual(['job_gpu ends, about 00:09 UTC.']);
});

test('a new month is told of only where it brings budget', async ({ world, db }) => {
  const waitsFor = async (budget: { totalUsd?: number; monthlyUsd?: number }) => {
    const tenantId = await addTenant(world, { budget });
    const jobId = await addJob(world, tenantId, { maxCostUsd: 0.5 });
    await db.transaction((tx) => adjust(tx, { tenantId, amount: 800_000, note: 'spent', at: world.now() }));
    await world.cycle();
    const { waiting } = await jobOf(world, jobId);
    return (waiting as { blockers: { unblocks: string }[] } | null)?.blockers.map(({ unblocks }) => unblocks);
  };
  expect(await waitsFor({ totalUsd: 1 })).toEqual([
    'Running jobs end below what they have reserved, or an operator raises the budget.',
  ]);
  expect(await waitsFor({ monthlyUsd: 1 })).toEqual([expect.stringContaining('a new month begins on 2026-12-01')]);
});

test('what a team is guaranteed of its organisation’s guarantee is lent once', async ({ world, db }) => {
  const gpus = { kind: 'none', count: 0 };
  const capacity = { cpus: 16, memoryBytes: 1e13, diskBytes: 1e13, gpus };
  world.provider.capacity = async () => capacity;
  const borrower = await addTenant(world);
  await startRunning(world, await addJob(world, borrower));
  const lab = await addTenant(world, { guaranteed: { cpu: 8 } });
  await addTenant(world, { parent: lab, guaranteed: { cpu: 8 } });
  await addTenant(world, { guaranteed: { cpu: 8 } });
  const quotas = createReadQuotas({
    db,
    now: world.now,
    capacities: async () => new Map([['scripted', capacity]]),
    petaflopsPerAccelerator: () => 1,
  });
  const [held] = (await quotas(borrower)).items;
  const [lends] = (await quotas(lab)).items;
  expect(held?.held).toBeGreaterThan(0);
  expect(lends?.lent).toBe((held?.held ?? 0) / 2);
});
