import { expect } from 'vitest';
import { createRecord, readRound } from '../../src/dispatch/record.ts';
import { addJob, addTenant, jobOf, startRunning, test, type World } from '../instances/world.ts';

/** Of a second ago, as if a job had used so much. */
async function addUse({ db, now }: World, tenantId: string, jobId: string, petaflopSeconds: number): Promise<void> {
  const machine = { instanceId: `of ${tenantId}`, provider: 'scripted', region: 'z', kind: 'cpu' };
  const amounts = { acceleratorSeconds: petaflopSeconds, petaflopSeconds, microUsd: 0 };
  const from = new Date(now().getTime() - 1000);
  await db.client.usageEntry.create({
    data: { tenantId, jobId, attempt: 1, ...machine, ...amounts, from, to: now() },
  });
}

test('a ceiling on concentration that is found passed is told once, to the operator and to whom it is about', async ({
  world,
  db,
}) => {
  await db.client.policyVersion.create({ data: { tenantId: null, policy: { hhiCeiling: 0.6 }, createdBy: 'test' } });
  const tenantId = await addTenant(world);
  const waiting = await addJob(world, tenantId);
  // Alone it might start whatever the ceiling says.
  for (const other of [await addTenant(world), await addTenant(world)]) await addUse(world, other, waiting, 1);
  await world.cycle();
  expect((await jobOf(world, waiting)).waiting).toMatchObject({ blockers: [{ code: 'concentration' }] });
  // It has no job any more.
  const dear = await addTenant(world);
  await addUse(world, dear, waiting, 1e9);
  for (let round = 0; round < 2; round += 1) {
    await addJob(world, tenantId);
    world.advance(2);
    await world.cycle();
  }
  const told = await db.client.audit.findMany({ where: { action: 'concentration.breach' } });
  expect(told).toMatchObject([{ after: { figure: 'hhi', value: expect.closeTo(1), largest: dear } }]);
  expect(await db.client.ledgerEntry.count({ where: { tenantId: dear } })).toBe(1);
  expect(world.errors).toEqual([]);
});

test('a ceiling that is passed, or is not any more, while nobody waits is known all the same', async ({
  world,
  db,
}) => {
  const ceiling = async (hhiCeiling: number) => {
    world.advance(1);
    const version = { tenantId: null, policy: { hhiCeiling }, createdAt: world.now(), createdBy: 'test' };
    await db.client.policyVersion.create({ data: version });
    await world.cycle();
    return (await readRound(db.client))?.breaches.map(({ figure }) => figure);
  };
  const tenantId = await addTenant(world);
  await startRunning(world, await addJob(world, tenantId));
  expect(await ceiling(0.6)).toEqual(['hhi']);
  expect(await db.client.audit.count({ where: { action: 'concentration.breach' } })).toBe(1);
  expect(await ceiling(1)).toEqual([]);
});

test('of workers that find a ceiling passed at the same time, one tells it', async ({ db, world }) => {
  const breach = { figure: 'hhi', value: 0.9, ceiling: 0.5, largest: await addTenant(world) } as const;
  const figures = { looked: 0, started: 0, preempted: 0, fairnessError: [], standings: [], breaches: [breach] };
  const workers = Array.from({ length: 3 }, () => createRecord({ db, now: world.now }));
  await Promise.all(workers.map((record) => record(figures, 0.1)));
  expect(await db.client.audit.count({ where: { action: 'concentration.breach' } })).toBe(1);
});
