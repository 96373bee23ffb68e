import { expect } from 'vitest';
import type { Database } from '../../src/db/database.ts';
import { committed, release, reserve } from '../../src/shares/store.ts';
import { createAccrue, decayedUse, refundUse, useSince } from '../../src/shares/usage.ts';
import { test } from '../support/database.ts';
import { waitFor } from '../support/wait.ts';
import { epoch, insertRunning, insertTenant, microUsdPerHour, minutesLater, offer } from './fixtures.ts';

const accrue = createAccrue(() => 0.5);

async function accrualOf(db: Database) {
  const tenantId = await insertTenant(db, 'vision');
  const { jobId, instanceIds } = await insertRunning(db, tenantId, epoch);
  const base = { tenantId, jobId, attempt: 1, from: epoch, offer, microUsdPerHour };
  return { tenantId, jobId, accrual: { ...base, instanceId: instanceIds[0] ?? '' }, instanceIds, base };
}

async function sums(db: Database, jobId: string) {
  const use = await db.client.usageEntry.aggregate({
    where: { jobId },
    _sum: { microUsd: true, petaflopSeconds: true, acceleratorSeconds: true },
  });
  const spent = await db.client.ledgerEntry.aggregate({
    where: { jobId, account: 'spent' },
    _sum: { amountMicroUsd: true },
  });
  return {
    use: Number(use._sum.microUsd),
    spent: Number(spent._sum.amountMicroUsd),
    acceleratorSeconds: use._sum.acceleratorSeconds,
    petaflopSeconds: use._sum.petaflopSeconds,
  };
}

test('use and charge are written together', async ({ db }) => {
  const { jobId, accrual } = await accrualOf(db);
  const charged = await db.transaction((tx) => accrue(tx, [{ ...accrual, to: minutesLater(30) }]));
  expect(charged).toBe(1_800_000);
  expect(await sums(db, jobId)).toEqual({
    use: charged,
    spent: charged,
    acceleratorSeconds: 7200,
    petaflopSeconds: 3600,
  });
});

test('accounted in pieces or at once, the cost is the same, to the micro-dollar', async ({ db }) => {
  const { jobId, accrual } = await accrualOf(db);
  for (let ms = 7; ms <= 700; ms += 7) {
    await db.transaction((tx) =>
      accrue(tx, [{ ...accrual, microUsdPerHour: 1234.5, to: new Date(epoch.getTime() + ms * 1000) }]),
    );
  }
  const { use, spent } = await sums(db, jobId);
  expect(use).toBe(Math.ceil((1234.5 * 700) / 3600));
  expect(spent).toBe(use);
});

test('what is accounted is not accounted again, also when asked twice at once or for less', async ({ db }) => {
  const { jobId, accrual } = await accrualOf(db);
  const hour = { ...accrual, to: minutesLater(60) };
  const { second } = await db.transaction(async (first) => {
    await accrue(first, [hour]);
    const second = db.transaction((tx) => accrue(tx, [hour]));
    await waitFor('the second to wait for the first', () => isSomeoneWaiting(db));
    return { second };
  });
  expect(await second).toBe(3_600_000);
  expect(await db.transaction((tx) => accrue(tx, [{ ...accrual, to: minutesLater(10) }]))).toBe(3_600_000);
  expect(await sums(db, jobId)).toMatchObject({ use: 3_600_000, spent: 3_600_000 });
});

async function isSomeoneWaiting(db: Database): Promise<boolean> {
  const { rows } = await db.pool.query(
    'SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = $1',
    ['Lock'],
  );
  return rows.length > 0;
}

test('a fault of the infrastructure is refunded with lines of its own; the use stays', async ({ db }) => {
  const { tenantId, jobId, base, instanceIds } = await accrualOf(db);
  const posting = { tenantId, jobId, attempt: 1, note: '', at: minutesLater(31) };
  await db.transaction((tx) => reserve(tx, { ...posting, amount: 10_000_000, at: epoch }));
  let charged = 0;
  for (const instanceId of instanceIds)
    charged += await db.transaction((tx) => accrue(tx, [{ ...base, instanceId, to: minutesLater(30) }]));
  await db.transaction(async (tx) => {
    await refundUse(tx, { ...posting, amount: charged });
    await release(tx, posting);
  });
  expect(charged).toBe(3_600_000);
  expect(await sums(db, jobId)).toEqual({ use: 0, spent: 0, acceleratorSeconds: 14_400, petaflopSeconds: 7200 });
  expect(await committed(db.client, tenantId, posting.at)).toEqual({ spentThisMonth: 0, spentTotal: 0, reserved: 0 });
  expect(await db.client.usageEntry.count({ where: { jobId } })).toBe(4);

  await expect(db.transaction((tx) => refundUse(tx, { ...posting, amount: 1, at: minutesLater(32) }))).rejects.toThrow(
    RangeError,
  );
  const late = { ...base, instanceId: instanceIds[0] ?? '', to: minutesLater(40) };
  expect(await db.transaction((tx) => accrue(tx, [late]))).toBe(0);
});

test('a transaction that fails after accruing leaves neither use nor charge', async ({ db }) => {
  const { jobId, accrual } = await accrualOf(db);
  const crash = db.transaction(async (tx) => {
    await accrue(tx, [{ ...accrual, to: minutesLater(1) }]);
    throw new Error('crash');
  });
  await expect(crash).rejects.toThrow('crash');
  expect(await sums(db, jobId)).toMatchObject({ use: 0, spent: 0 });
});

test('past use is worth half after a half-life', async ({ db }) => {
  const { tenantId, accrual } = await accrualOf(db);
  await db.transaction((tx) => accrue(tx, [{ ...accrual, to: minutesLater(30) }]));
  const week = 7 * 24 * 60;
  const at = (minutes: number) =>
    decayedUse(db.client, week * 60_000, minutesLater(30 + minutes)).then((use) => use.get(tenantId));
  expect(await at(0)).toBeCloseTo(3600, 6);
  expect(await at(week)).toBeCloseTo(1800, 6);
  expect(await at(3 * week)).toBeCloseTo(450, 6);
  expect(await at(30 * week)).toBeUndefined();
});

test('of use that began before a window, the part within counts', async ({ db }) => {
  const { tenantId, accrual } = await accrualOf(db);
  await db.transaction((tx) => accrue(tx, [{ ...accrual, to: minutesLater(40) }]));
  expect(await useSince(db.client, minutesLater(30))).toEqual(new Map([[tenantId, 10 * 60 * 4 * 0.5]]));
  expect(await useSince(db.client, minutesLater(40))).toEqual(new Map());
});

test('free machines are used without a line of money', async ({ db }) => {
  const { jobId, accrual } = await accrualOf(db);
  await db.transaction((tx) => accrue(tx, [{ ...accrual, microUsdPerHour: 0, to: minutesLater(30) }]));
  expect(await db.client.ledgerEntry.count({ where: { jobId } })).toBe(0);
  expect(await sums(db, jobId)).toMatchObject({ use: 0, acceleratorSeconds: 7200 });
});
