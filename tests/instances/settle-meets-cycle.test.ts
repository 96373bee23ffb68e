import { expect } from 'vitest';
import { newToken } from '../../src/core/tokens.ts';
import { expectAgreement } from './agreement.ts';
import { accountsOf, addJob, addTenant, jobOf, test, type World } from './world.ts';

const gib = 1024 ** 3;
const jobs = 6;

async function activeAttempts({ db }: World): Promise<{ id: string; jobId: string; number: number; name: string }[]> {
  const rows = await db.client.attempt.findMany({ where: { finishedAt: null }, include: { instances: true } });
  return rows.map(({ id, jobId, number, instances }) => ({ id, jobId, number, name: instances[0]?.name ?? '' }));
}

/** Takes the attempt from its intent to its report, after two seconds of running. */
async function runToReport(world: World, { name, number }: { name: string; number: number }): Promise<void> {
  const { instances } = await world.db.client.attempt.findFirstOrThrow({
    where: { instances: { some: { name } } },
    include: { instances: true },
  });
  await world.launch(instances[0]?.id ?? '');
  const token = newToken();
  await world.claim(world.provider.machines.get(name)?.bootstrapToken ?? '', token);
  await world.beat(token, number);
  world.advance(2);
  await world.end(token, number);
}

test('a machine that settles while cycles decide gives its place and its money on, once', async ({ world }) => {
  // There is one core, and of the budget only what one job reserves beside what all of them will have cost.
  world.provider.capacity = async () => {
    return { cpus: 1, memoryBytes: 64 * gib, diskBytes: 1000 * gib, gpus: { kind: 'none', count: 0 } };
  };
  const tenantId = await addTenant(world, { budget: { totalUsd: 1.12 } });
  const resources = { cpus: 1, memoryGiB: 1, diskGiB: 1 };
  const jobIds: string[] = [];
  for (let job = 0; job < jobs; job += 1) jobIds.push(await addJob(world, tenantId, { resources, maxCostUsd: 1 }));
  await world.cycle();
  for (let turn = 0; turn < jobs; turn += 1) {
    const [attempt, ...others] = await activeAttempts(world);
    expect(others).toEqual([]);
    if (attempt === undefined) throw new Error(`nothing runs in turn ${turn}`);
    await runToReport(world, attempt);
    const { settle, cycle } = world;
    await Promise.all([cycle(), settle(attempt.id), cycle(), settle(attempt.id), cycle()]);
    // The cycles may all have looked before the machine was gone: then the next one finds the place.
    await cycle();
    expect((await activeAttempts(world)).length).toBe(turn === jobs - 1 ? 0 : 1);
    const accounts = await Promise.all(jobIds.map((jobId) => accountsOf(world, jobId)));
    const held = accounts.reduce((sum, { reserved, spent }) => sum + reserved + spent, 0);
    expect(held).toBeLessThanOrEqual(1_120_000);
    for (const jobId of jobIds) await expectAgreement(world, jobId);
  }
  for (const jobId of jobIds) {
    const { state, attempts } = await jobOf(world, jobId);
    expect({ state, attempts: attempts.length }).toEqual({ state: 'succeeded', attempts: 1 });
    expect(await accountsOf(world, jobId)).toEqual({ available: -20_000, reserved: 0, spent: 20_000 });
  }
  expect(world.errors).toEqual([]);
});
