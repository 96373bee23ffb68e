import { expect } from 'vitest';
import type { Database } from '../../src/db/database.ts';
import { createOutlook } from '../../src/shares/outlook.ts';
import { createRollup } from '../../src/shares/rollup.ts';
import { createAccrue, refundUse } from '../../src/shares/usage.ts';
import type { SharesDeps } from '../../src/shares/pool-use.ts';
import { readReport } from '../../src/shares/report.ts';
import { readShares, readUsage } from '../../src/shares/shares.ts';
import { test } from '../support/database.ts';
import { epoch, insertRunning, insertTenant, microUsdPerHour, minutesLater, offer } from './fixtures.ts';

const petaflopsPerAccelerator = () => 0.5;
const accrue = createAccrue(petaflopsPerAccelerator);

function at(db: Database, minutes: number): SharesDeps {
  return { sql: db.client, now: minutesLater(minutes), petaflopsPerAccelerator };
}

/** Two machines of four cores for so many minutes since the epoch: ended, and in the accounts. */
async function finished(db: Database, tenantId: string, minutes: number) {
  const { jobId, attemptId, instanceIds } = await insertRunning(db, tenantId, epoch);
  await db.transaction(async (tx) => {
    for (const instanceId of instanceIds) {
      await accrue(tx, [
        {
          instanceId,
          tenantId,
          jobId,
          attempt: 1,
          from: epoch,
          to: minutesLater(minutes),
          offer,
          microUsdPerHour,
        },
      ]);
    }
  });
  await db.client.attempt.update({
    where: { id: attemptId },
    data: { state: 'succeeded', finishedAt: minutesLater(minutes) },
  });
  await db.client.instance.updateMany({ where: { attemptId }, data: { state: 'gone', goneAt: minutesLater(minutes) } });
  return jobId;
}

const operator = { tenantId: null };

test('shares are of compute, tenants without use included', async ({ db }) => {
  const [vision, speech, idle] = [
    await insertTenant(db, 'vision'),
    await insertTenant(db, 'speech'),
    await insertTenant(db, 'idle'),
  ];
  await finished(db, vision, 45);
  await finished(db, speech, 15);
  const shares = await readShares(at(db, 60), { window: '30d' }, operator);
  expect(shares.tenants.map(({ tenant, share, costUsd }) => [tenant?.id, share, costUsd])).toEqual([
    [vision, 0.75, 5.4],
    [speech, 0.25, 1.8],
    [idle, 0, 0],
  ]);
  expect(shares.total).toEqual({ compute: (8 * 3600 * 0.5) / 86_400, acceleratorHours: 8, costUsd: 7.2 });
  expect(shares.concentration).toMatchObject({ hhi: 0.625, effectiveTenants: 1.6, largestShare: 0.75 });
  expect(shares.unit).toBe('PFLOP/s-days');
});

test('where nothing was used there is no concentration', async ({ db }) => {
  await insertTenant(db, 'vision');
  const { tenants, concentration } = await readShares(at(db, 0), { window: 'all' }, operator);
  expect(tenants).toMatchObject([{ share: 0 }]);
  expect(concentration).toEqual({ hhi: null, effectiveTenants: null, gini: null, largestShare: null, lorenz: [] });
});

test('in the last hour of a month a short window is answered as in any other', async ({ db }) => {
  const tenantId = await insertTenant(db, 'vision');
  const last = new Date('2026-11-30T23:10:00Z');
  await insertRunning(db, tenantId, last);
  const deps = { sql: db.client, now: minutesLater(30, last), petaflopsPerAccelerator };
  const { total, wasted } = await readShares(deps, { window: '30m' }, operator);
  expect(total.costUsd).toBeCloseTo(3.6, 9);
  expect(wasted.idle.costUsd).toBe(0);
});

test('what was wasted in the first hour of the installation is in the window of all', async ({ db }) => {
  const tenantId = await insertTenant(db, 'vision');
  await db.client.tenant.update({ where: { id: tenantId }, data: { createdAt: minutesLater(5) } });
  const { attemptId, jobId, instanceIds } = await insertRunning(db, tenantId, minutesLater(10));
  const [instanceId = ''] = instanceIds;
  const until = { from: minutesLater(10), to: minutesLater(20) };
  const accrual = { instanceId, tenantId, jobId, attempt: 1, ...until, offer, microUsdPerHour };
  await db.transaction((tx) => accrue(tx, [accrual]));
  const ended = { state: 'failed', reason: 'exit-code', stoppingAt: until.to, finishedAt: until.to } as const;
  await db.client.attempt.update({ where: { id: attemptId }, data: ended });
  await createRollup({ db, preemptions: [] })();
  const { window, wasted } = await readShares(at(db, 30), { window: 'all' }, operator);
  expect(window.from).toBe(epoch.toISOString());
  expect(wasted.failed.costUsd).toBeCloseTo(0.6, 6);
});

test('what runs counts up to now, and the same once it is in the accounts', async ({ db }) => {
  const tenantId = await insertTenant(db, 'vision');
  const { jobId, instanceIds } = await insertRunning(db, tenantId, epoch);
  const before = await readShares(at(db, 30), { window: '24h' }, operator);
  expect(before.total).toEqual({ compute: (4 * 3600 * 0.5) / 86_400, acceleratorHours: 4, costUsd: 3.6 });
  const accrual = { tenantId, jobId, attempt: 1, from: epoch, to: minutesLater(20), offer, microUsdPerHour };
  for (const instanceId of instanceIds) await db.transaction((tx) => accrue(tx, [{ ...accrual, instanceId }]));
  const after = await readShares(at(db, 30), { window: '24h' }, operator);
  expect(after.total.acceleratorHours).toBeCloseTo(before.total.acceleratorHours, 9);
  expect(after.total.costUsd).toBe(before.total.costUsd);
  expect(after.total.compute).toBeCloseTo(before.total.compute, 9);
});

test('what a job would change is told beside what runs now, as in the shares', async ({ db }) => {
  const [vision, speech] = [await insertTenant(db, 'vision'), await insertTenant(db, 'speech')];
  await insertRunning(db, vision, epoch);
  await finished(db, speech, 30);
  const outlook = createOutlook({ ...at(db, 30), db, now: () => minutesLater(30), policy: async () => ({}) });
  const { before, after } = await outlook(vision);
  expect(before).toBeCloseTo(0.5, 9);
  expect(after((8 * 1800 * 0.5) / 86_400)).toBeCloseTo(2 / 3, 9);
});

test('a machine that is gone counts until it went, before and after its attempt is settled', async ({ db }) => {
  const tenantId = await insertTenant(db, 'vision');
  const { instanceIds } = await insertRunning(db, tenantId, epoch);
  await db.client.instance.updateMany({
    where: { id: { in: instanceIds } },
    data: { state: 'gone', goneAt: minutesLater(10) },
  });
  const { total } = await readShares(at(db, 60), { window: '24h' }, operator);
  expect(total.costUsd).toBe(1.2);
});

test('of a stretch on the edge of the window, the part within counts', async ({ db }) => {
  await finished(db, await insertTenant(db, 'vision'), 60);
  const { total } = await readShares(at(db, 24 * 60 + 45), { window: '24h' }, operator);
  expect(total).toMatchObject({ acceleratorHours: 2, costUsd: 1.8 });
});

test('a refund lowers the cost and not the share', async ({ db }) => {
  const tenantId = await insertTenant(db, 'vision');
  const jobId = await finished(db, tenantId, 60);
  await db.transaction((tx) =>
    refundUse(tx, { tenantId, jobId, attempt: 1, amount: 7_200_000, note: '', at: minutesLater(61) }),
  );
  const { total, tenants } = await readShares(at(db, 70), { window: '24h' }, operator);
  expect(total).toMatchObject({ acceleratorHours: 8, costUsd: 0 });
  expect(tenants).toMatchObject([{ share: 1 }]);
});

test('a tenant sees its own row, the total and the concentration; others without names where the pool allows it', async ({
  db,
}) => {
  const [vision, speech] = [await insertTenant(db, 'vision'), await insertTenant(db, 'speech')];
  await finished(db, vision, 45);
  await finished(db, speech, 15);
  const policy = { shareCap: { share: 0.5 } };
  await db.client.policyVersion.createMany({
    data: [vision, speech].map((tenantId) => ({ tenantId, policy, createdBy: 'test' })),
  });

  const closed = await readShares(at(db, 60), { window: '30d' }, { tenantId: speech });
  expect(closed.tenants).toMatchObject([{ tenant: { id: speech, name: 'speech' }, share: 0.25, shareCap: 0.5 }]);
  expect(closed.total.costUsd).toBe(7.2);
  expect(closed.concentration.hhi).toBe(0.625);

  await db.client.policyVersion.create({
    data: { tenantId: null, policy: { tenantsSeeOthers: true }, createdBy: 'test' },
  });
  const open = await readShares(at(db, 60), { window: '30d' }, { tenantId: speech });
  expect(open.tenants).toMatchObject([{ tenant: null, share: 0.75, shareCap: null }, { tenant: { id: speech } }]);
});

test('the series has each hour once, and sums to the total', async ({ db }) => {
  const tenantId = await insertTenant(db, 'vision');
  await finished(db, tenantId, 150);
  const jobId = await finished(db, tenantId, 30);
  await db.transaction((tx) =>
    refundUse(tx, { tenantId, jobId, attempt: 1, amount: 600_000, note: '', at: minutesLater(60) }),
  );
  await insertRunning(db, tenantId, minutesLater(170));
  await finished(db, await insertTenant(db, 'speech'), 10);
  const { items } = await readUsage(at(db, 190), { tenantId, window: '4h' });
  expect(items.map(({ from }) => from)).toEqual([11, 12, 13, 14, 15].map((hour) => `2026-11-10T${hour}:00:00.000Z`));
  expect(items.map(({ costUsd }) => costUsd)).toEqual([0, 10.8, 6.6, 4.8, 1.2]);
});

test('days are days of UTC', async ({ db }) => {
  const tenantId = await insertTenant(db, 'vision');
  await finished(db, tenantId, 13 * 60);
  const { items } = await readUsage(at(db, 14 * 60), { tenantId, window: '2d', bucket: 'day' });
  expect(items.map(({ from, acceleratorHours }) => [from.slice(0, 10), acceleratorHours])).toEqual([
    ['2026-11-09', 0],
    ['2026-11-10', 96],
    ['2026-11-11', 8],
  ]);
});

test('the report is of the whole month, or of what has passed of it', async ({ db }) => {
  const tenantId = await insertTenant(db, 'vision');
  await finished(db, tenantId, 60);
  await insertRunning(db, tenantId, minutesLater(60));
  expect((await readReport(at(db, 90), '2026-11', operator)).total.costUsd).toBe(10.8);
  await db.client.attempt.updateMany({ where: { finishedAt: null }, data: { finishedAt: minutesLater(90) } });
  const report = await readReport(at(db, 24 * 60 * 60), '2026-11', operator);
  expect(report.window).toEqual({ from: '2026-11-01T00:00:00.000Z', to: '2026-12-01T00:00:00.000Z' });
  expect(report.total.costUsd).toBe(7.2);
});
