import { expect } from 'vitest';
import { readClaimants } from '../../src/dispatch/claim-store.ts';
import { createExplained } from '../../src/dispatch/explained.ts';
import { readQueueHeads } from '../../src/dispatch/store.ts';
import { type WaitingRow } from '../../src/dispatch/waiting-store.ts';
import { addJob, addTenant, jobOf, startRunning, test } from '../instances/world.ts';

test('of few tenants a cycle reads the first fifty, of many a few, and of all in turn those behind them', async ({
  world,
  db,
}) => {
  const tenantId = await addTenant(world);
  const first = await addJob(world, tenantId);
  // A hundred and sixty of one tenant, in the order of their names, and one each of a thousand others.
  await db.pool.query(
    `INSERT INTO job (id, tenant_id, name, state, spec, quote_id, options, priority, created_at, queued_at)
     SELECT 'job_' || lpad(n::text, 3, '0'), tenant_id, name, state, spec, quote_id, options, priority, created_at, queued_at + n * interval '1 s'
     FROM job, generate_series(2, 160) n WHERE id = $1`,
    [first],
  );
  const ownOf = async (turn: number) =>
    (await readQueueHeads(db.client, turn)).filter((row) => row.tenantId === tenantId).map(({ place }) => place);
  const upTo = (most: number) => Array.from({ length: most }, (_, index) => index + 1);
  expect(await ownOf(0)).toEqual(upTo(75));
  const all = new Set<number>();
  for (let turn = 0; turn < 25; turn += 1) {
    const places = await ownOf(turn);
    expect(places.length).toBeLessThanOrEqual(75);
    expect(places.slice(0, 50)).toEqual(upTo(50));
    for (const place of places) all.add(place);
  }
  expect([...all].toSorted((a, b) => a - b)).toEqual(upTo(160));

  await db.pool.query(
    `INSERT INTO job (id, tenant_id, name, state, spec, quote_id, options, priority, created_at, queued_at)
     SELECT 'job_other' || n, 'tnt_other' || n, name, state, spec, quote_id, options, priority, created_at, queued_at
     FROM job, generate_series(1, 1000) n WHERE id = $1`,
    [first],
  );
  const seen = new Set<number>();
  for (let turn = 0; turn < 24; turn += 1) {
    const places = await ownOf(turn);
    expect(places).toHaveLength(4);
    expect(places.slice(0, 2)).toEqual([1, 2]);
    for (const place of places) seen.add(place);
  }
  expect([...seen].toSorted((a, b) => a - b)).toEqual(upTo(50));
  const withClaims = (await readQueueHeads(db.client, 0, ['job_055', 'job_002'])).filter(
    (row) => row.tenantId === tenantId,
  );
  expect(withClaims.map(({ id, place }) => [id, place])).toContainEqual(['job_055', 55]);
  expect(withClaims).toHaveLength(5);
});

test('a job that others make way for is known until it starts, or for ten minutes after they have gone', async ({
  world,
  db,
}) => {
  const tenantId = await addTenant(world);
  const victim = await addJob(world, tenantId);
  await startRunning(world, victim);
  const claimant = await addJob(world, tenantId);
  const known = async (seconds = 0) => [
    ...(await readClaimants(db.client, new Date(world.now().getTime() + seconds * 1000))),
  ];
  expect(await known()).toEqual([]);
  await db.client.attempt.updateMany({ where: { jobId: victim }, data: { preemptedFor: claimant } });
  expect(await known()).toEqual([claimant]);
  await db.client.attempt.updateMany({ where: { jobId: victim }, data: { finishedAt: world.now() } });
  expect(await known(599)).toEqual([claimant]);
  expect(await known(601)).toEqual([]);
  world.advance(10);
  await startRunning(world, claimant);
  expect(await known()).toEqual([]);
});

test('a job that may start does, however many stand before it that may not', async ({ world, db }) => {
  const tenantId = await addTenant(world);
  const blocked = await addJob(world, tenantId);
  const notBefore = new Date(world.now().getTime() + 3_600_000);
  await db.client.job.update({ where: { id: blocked }, data: { notBefore } });
  await db.pool.query(
    `INSERT INTO job (id, tenant_id, name, state, spec, quote_id, options, priority, created_at, queued_at, not_before)
     SELECT 'job_' || n, tenant_id, name, state, spec, quote_id, options, priority, created_at, queued_at, not_before
     FROM job, generate_series(1, 200) n WHERE id = $1`,
    [blocked],
  );
  world.advance(1);
  const last = await addJob(world, tenantId);
  for (let turn = 0; turn < 12; turn += 1) await world.cycle();
  expect((await jobOf(world, last)).state).toBe('provisioning');
});

test('a ceiling on priority that was lowered after they were queued keeps no jobs from starting', async ({ world }) => {
  const tenantId = await addTenant(world, { priorityCeiling: 50 });
  const ids = [await addJob(world, tenantId, { priority: 60 }), await addJob(world, tenantId, { priority: 90 })];
  expect(await world.cycle()).toBe('done');
  for (const id of ids) expect((await jobOf(world, id)).state).toBe('provisioning');
});

test('what a round reserved for a job is known to the next one', async ({ world, db }) => {
  world.provider.capacity = async () => {
    return { cpus: 1, memoryBytes: 2 ** 40, diskBytes: 2 ** 40, gpus: { kind: 'none', count: 0 } };
  };
  const tenantId = await addTenant(world);
  await startRunning(world, await addJob(world, tenantId));
  const [first, second] = [await addJob(world, tenantId), await addJob(world, tenantId)];
  await world.cycle();
  const rows = await readQueueHeads(db.client, 0);
  expect(new Map(rows.map(({ id, hasReservation }) => [id, hasReservation]))).toEqual(
    new Map([
      [first, true],
      [second, false],
    ]),
  );
});

test('of jobs that may all start none overtakes another that was not looked at', async ({ world, db }) => {
  world.provider.capacity = async () => {
    return { cpus: 60, memoryBytes: 2 ** 50, diskBytes: 2 ** 50, gpus: { kind: 'none', count: 0 } };
  };
  const tenantId = await addTenant(world);
  const first = await addJob(world, tenantId, { resources: { cpus: 1, memoryGiB: 1, diskGiB: 1 } });
  await db.pool.query(
    `INSERT INTO job (id, tenant_id, name, state, spec, quote_id, options, priority, created_at, queued_at)
     SELECT 'job_' || lpad(n::text, 3, '0'), tenant_id, name, state, spec, quote_id, options, priority, created_at, queued_at + n * interval '1 s'
     FROM job, generate_series(2, 160) n WHERE id = $1`,
    [first],
  );
  for (let turn = 0; turn < 4; turn += 1) await world.cycle();
  const started = await db.client.job.findMany({ where: { state: 'provisioning' }, orderBy: { queuedAt: 'asc' } });
  const ids = Array.from({ length: 59 }, (_, index) => `job_${String(index + 2).padStart(3, '0')}`);
  expect(started.map(({ id }) => id)).toEqual([first, ...ids]);
});

test('a cycle writes again what it says of a job where that has changed, and where another may have', async ({
  world,
}) => {
  const row: WaitingRow = {
    id: 'a',
    position: 1,
    eta: { p50: new Date(600_000).toISOString(), p90: null },
    blockers: [],
  };
  const later = { ...row, eta: { p50: new Date(640_000).toISOString(), p90: null } };
  const explained = createExplained();
  expect(explained.news([row], 0)).toEqual([row]);
  // What was rolled back was not written.
  expect(explained.news([row], 0)).toEqual([row]);
  explained.keep();
  expect(explained.news([row], 1000)).toEqual([]);
  expect(explained.news([later], 1000)).toEqual([]);
  expect(explained.news([{ ...row, position: 2 }], 1000)).toHaveLength(1);
  expect(explained.news([row], 60_000)).toEqual([row]);

  world.provider.capacity = async () => ({
    cpus: 1,
    memoryBytes: 2 ** 40,
    diskBytes: 2 ** 40,
    gpus: { kind: 'none', count: 0 },
  });
  const tenantId = await addTenant(world);
  const [, second, third] = [
    await addJob(world, tenantId),
    await addJob(world, tenantId),
    await addJob(world, tenantId),
  ];
  await world.cycle();
  const positions = await Promise.all(
    [second, third].map(async (id) => ((await jobOf(world, id)).waiting as { position: number } | null)?.position),
  );
  expect(positions).toEqual([1, 2]);
});
