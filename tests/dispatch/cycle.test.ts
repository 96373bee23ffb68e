import { expect } from 'vitest';
import type { Database } from '../../src/db/database.ts';
import { findShownJob } from '../../src/jobs/shown-store.ts';
import { jobView } from '../../src/jobs/view.ts';
import { adjust } from '../../src/shares/store.ts';
import { accountsOf, addJob, addTenant, createWorld, jobOf, startRunning, test } from '../instances/world.ts';
import { waitFor } from '../support/wait.ts';

async function countWaiting({ client }: Database): Promise<number> {
  const [row] = await client.$queryRaw<[{ count: number }]>`
    SELECT count(*)::int AS count FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'`;
  return row.count;
}

/** Of what `addJob` quotes. */
const p90Seconds = 900;

const blockersOf = (job: { waiting: unknown }) =>
  (job.waiting as { blockers: { code: string; message: string }[] } | null)?.blockers;

test('a budget that is being spent elsewhere at that moment is waited for, not guessed', async ({ world, db }) => {
  const tenantId = await addTenant(world, { budget: { totalUsd: 1 } });
  const jobId = await addJob(world, tenantId, { maxCostUsd: 0.5 });
  let cycle: Promise<unknown> = Promise.resolve();
  await db.transaction(async (tx) => {
    await adjust(tx, { tenantId, amount: 800_000, note: 'spent', at: world.now() });
    cycle = world.cycle();
    await waitFor('the cycle to wait', async () => (await countWaiting(db)) === 1);
  });
  await cycle;
  const job = await jobOf(world, jobId);
  expect(job.state).toBe('queued');
  expect(blockersOf(job)).toMatchObject([{ code: 'budget' }]);
});

test('many jobs that start at once reserve no more than the budget', async ({ world }) => {
  const tenantId = await addTenant(world, { budget: { totalUsd: 1 } });
  const ids = await Promise.all(Array.from({ length: 8 }, () => addJob(world, tenantId, { maxCostUsd: 0.3 })));
  await Promise.all([world.cycle(), createWorld(world.db).cycle(), world.cycle()]);
  await world.cycle();
  const states = await Promise.all(ids.map(async (id) => (await jobOf(world, id)).state));
  expect(states.filter((state) => state === 'provisioning')).toHaveLength(3);
  const held = await Promise.all(ids.map((id) => accountsOf(world, id)));
  expect(held.reduce((sum, { reserved }) => sum + reserved, 0)).toBe(900_000);
});

test('a machine that can’t keep jobs apart starts none of a second tenant, also of jobs accepted before', async ({
  world,
}) => {
  const [first, second] = [await addTenant(world), await addTenant(world)];
  const jobs = { first: await addJob(world, first), second: await addJob(world, second) };
  world.provider.isolatesTenants = false;
  await world.cycle();
  await world.cycle();
  const seen = await Promise.all(Object.values(jobs).map((id) => jobOf(world, id)));
  expect(seen.map(({ state }) => state).toSorted()).toEqual(['provisioning', 'queued']);
  const waiting = seen.find(({ state }) => state === 'queued') ?? { waiting: null };
  expect(blockersOf(waiting)).toMatchObject([{ code: 'capacity', message: expect.stringContaining('apart') }]);
});

test('a cycle does not read what jobs bring with them', async ({ world, db }) => {
  const tenantId = await addTenant(world);
  const read: number[] = [];
  const running = await addJob(world, tenantId, { files: { 'a.bin': 'x'.repeat(1_000_000) } });
  await startRunning(world, running);
  const later = await addJob(world, tenantId, { files: { 'a.bin': 'x'.repeat(1_000_000) }, maxCostUsd: 0.1 });
  const counted = createWorld({
    ...db,
    transaction: (work) =>
      db.transaction((tx) => {
        const counting = new Proxy(tx, {
          get: (target, name: keyof typeof tx) => {
            if (name !== '$queryRaw') return target[name];
            return async (...args: Parameters<typeof tx.$queryRaw>) => {
              const rows = await target.$queryRaw(...args);
              read.push(
                JSON.stringify(rows, (_key, value: unknown) => (typeof value === 'bigint' ? Number(value) : value))
                  .length,
              );
              return rows;
            };
          },
        });
        return work(counting);
      }),
  });
  await counted.cycle();
  expect((await jobOf(world, later)).state).toBe('provisioning');
  expect(Math.max(...read)).toBeLessThan(10_000);
});

test('a job whose providers are all gone says so', async ({ world, db }) => {
  const jobId = await addJob(world, await addTenant(world));
  await db.client.job.update({ where: { id: jobId }, data: { options: [] } });
  await world.cycle();
  expect(blockersOf(await jobOf(world, jobId))).toMatchObject([{ code: 'capacity' }]);
});

test('a start that the database refuses keeps none of the others from starting, and is put off', async ({
  world,
  db,
}) => {
  const tenantId = await addTenant(world);
  const [bad, good] = [await addJob(world, tenantId), await addJob(world, tenantId)];
  await db.client.$executeRaw`UPDATE job SET attempt_number = 2147483647 WHERE id = ${bad}`;
  await world.cycle();
  expect((await jobOf(world, good)).state).toBe('provisioning');
  expect(await jobOf(world, bad)).toMatchObject({ state: 'queued', attempts: [] });
  expect((await jobOf(world, bad)).notBefore).not.toBeNull();
  expect(world.errors).toHaveLength(1);
});

test('a row that can’t be read keeps no other from starting', async ({ world, db }) => {
  const tenantId = await addTenant(world);
  const [bad, good] = [await addJob(world, tenantId), await addJob(world, tenantId)];
  await db.client.$executeRaw`UPDATE job SET options = '[{"offer": {"provider": "scripted"}}]' WHERE id = ${bad}`;
  await world.cycle();
  expect((await jobOf(world, good)).state).toBe('provisioning');
  expect((await jobOf(world, bad)).state).toBe('queued');
});

test('what keeps a job waiting enters its history when it changes, not with each cycle', async ({ world, db }) => {
  const tenantId = await addTenant(world, { caps: { runningJobs: 0 } });
  const jobId = await addJob(world, tenantId);
  const history = async () =>
    (await db.client.jobEvent.findMany({ where: { jobId, type: 'dispatch.waiting' }, orderBy: { id: 'asc' } })).map(
      ({ reason }) => reason,
    );
  await world.cycle();
  world.advance(60);
  await world.cycle();
  expect(await history()).toEqual(['cap']);
  await db.client.policyVersion.create({ data: { tenantId, policy: { budget: { totalUsd: 0 } }, createdBy: 'test' } });
  await world.cycle();
  await world.cycle();
  expect(await history()).toEqual(['cap', 'budget']);
});

test('a reservation enters the history of its job when it comes, when its time moves far, and when it goes; nowhere else', async ({
  world,
  db,
}) => {
  const machine = { cpus: 2, memoryBytes: 1e13, diskBytes: 1e13, gpus: { kind: 'none', count: 0 } };
  world.provider.capacity = async () => machine;
  const tenantId = await addTenant(world);
  const small = await addJob(world, tenantId);
  await startRunning(world, small);
  const gang = await addJob(world, tenantId, { resources: { nodes: 2 } });
  const history = async (jobId: string) =>
    (
      await db.client.jobEvent.findMany({ where: { jobId, type: { contains: 'reserved' } }, orderBy: { id: 'asc' } })
    ).map(({ type, message }) => `${type}: ${message}`);
  const rounds = async (seconds: number) => {
    world.advance(seconds);
    await world.cycle();
  };
  const startedAt = world.now();
  const after = (seconds: number) => new Date(startedAt.getTime() + seconds * 1000).toISOString();
  await rounds(0);
  await rounds(60);
  const told = [
    `dispatch.reserved: What it waits for is reserved for it from ${after(p90Seconds)}: no job that may run longer takes it.`,
  ];
  expect(await history(gang)).toEqual(told);
  const shown = await findShownJob(db.client, gang, world.now());
  expect(Object.keys((shown && jobView(shown, world.now()).waiting) ?? {})).toEqual(['position', 'eta', 'blockers']);
  await rounds(10 * p90Seconds);
  await rounds(60);
  told.push(`dispatch.reserved: Its reservation has moved from ${after(p90Seconds)} to ${after(16 * p90Seconds)}.`);
  expect(await history(gang)).toEqual(told);
  await db.client.policyVersion.create({ data: { tenantId, policy: { budget: { totalUsd: 0 } }, createdBy: 'test' } });
  await rounds(60);
  expect((await history(gang)).slice(told.length)).toEqual([
    expect.stringMatching(/^dispatch\.unreserved: Its reservation is gone\. .*Budget short by/),
  ]);
  expect(await history(small)).toEqual([]);
});

test('a team spends from its organisation’s budget, and may run where both may', async ({ world, db }) => {
  const organisation = await addTenant(world, { budget: { totalUsd: 1 } });
  const [one, other] = [
    await addTenant(world, { parent: organisation }),
    await addTenant(world, { parent: organisation }),
  ];
  const first = await addJob(world, one, { maxCostUsd: 0.6 });
  await world.cycle();
  const second = await addJob(world, other, { maxCostUsd: 0.6 });
  await world.cycle();
  expect((await jobOf(world, first)).state).toBe('provisioning');
  expect(blockersOf(await jobOf(world, second))).toMatchObject([
    { code: 'budget', message: expect.stringContaining(`of the organisation ${organisation} short by $0.20:`) },
  ]);
  await db.client.policyVersion.create({
    data: { tenantId: organisation, policy: { regions: ['elsewhere'] }, createdBy: 'test' },
  });
  await world.cycle();
  expect(blockersOf(await jobOf(world, second))).toMatchObject([{ code: 'capacity' }]);
});

test('who is at a share cap is told when use will have left the window', async ({ world, db }) => {
  world.provider.capacity = async () => ({
    cpus: 4,
    memoryBytes: 1e13,
    diskBytes: 1e13,
    gpus: { kind: 'none', count: 0 },
  });
  const tenantId = await addTenant(world, { shareCap: { share: 0.5, window: '24h', mode: 'hard' } });
  const jobId = await addJob(world, tenantId);
  await db.client.usageEntry.create({
    data: {
      tenantId,
      jobId,
      attempt: 1,
      instanceId: 'i',
      provider: 'scripted',
      region: 'z',
      kind: 'cpu',
      from: new Date('2026-11-10T08:10:00Z'),
      to: new Date('2026-11-10T08:50:00Z'),
      acceleratorSeconds: 1e6,
      petaflopSeconds: 1e6,
      microUsd: 0,
    },
  });
  await world.cycle();
  expect(blockersOf(await jobOf(world, jobId))).toMatchObject([
    {
      code: 'share-cap',
      message: 'Share cap 50.0 %: at 100.0 %, with this job at 100.0 %.',
      unblocks: 'There is room below it about 09:00 UTC, as use leaves the window, or an operator raises shareCap.',
    },
  ]);
});

test('what a machine without a price has used beyond what was expected counts while it runs', async ({ world, db }) => {
  const gpus = { kind: 'none', count: 0 };
  world.provider.capacity = async () => ({ cpus: 8, memoryBytes: 1e13, diskBytes: 1e13, gpus });
  const tenantId = await addTenant(world, { shareCap: { share: 0.5, window: '24h', mode: 'hard' } });
  await startRunning(world, await addJob(world, tenantId));
  await db.client.$executeRaw`UPDATE attempt SET offer = jsonb_set(offer, '{hourlyUsd}', '0')`;
  world.advance(36_000);
  const jobId = await addJob(world, tenantId);
  await world.cycle();
  expect(blockersOf(await jobOf(world, jobId))).toMatchObject([{ code: 'share-cap' }]);
});
