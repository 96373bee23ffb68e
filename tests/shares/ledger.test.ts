import fc from 'fast-check';
import { expect } from 'vitest';
import { newId } from '../../src/core/ids.ts';
import type { Database } from '../../src/db/database.ts';
import { accounts } from '../../src/shares/ledger.ts';
import {
  adjust,
  charge,
  committed,
  committedByTenant,
  postNotice,
  refund,
  release,
  reserve,
} from '../../src/shares/store.ts';
import { listStatement } from '../../src/shares/statement-store.ts';
import { test } from '../support/database.ts';
import { epoch, insertTenant, minutesLater } from './fixtures.ts';

function posting(tenantId: string, jobId: string, amount: number, at = epoch) {
  return { tenantId, jobId, attempt: 1, amount, note: '', at };
}

async function lines(db: Database, tenantId: string) {
  const statement = await listStatement(db.client, tenantId, { limit: 1000 });
  return statement.map(({ account, kind, amountUsd, balanceUsd }) => `${kind} ${account} ${amountUsd} → ${balanceUsd}`);
}

test('a job reserves, is charged, and gives the rest back', async ({ db }) => {
  const [tenantId, jobId] = [await insertTenant(db, 'vision'), newId('job')];
  await db.transaction((tx) => reserve(tx, posting(tenantId, jobId, 5_000_000)));
  await db.transaction((tx) => charge(tx, posting(tenantId, jobId, 1_250_000)));
  const released = await db.transaction((tx) => release(tx, posting(tenantId, jobId, 0)));
  expect(released).toBe(3_750_000);
  expect(await lines(db, tenantId)).toEqual([
    'reserve available -5 → -5',
    'reserve reserved 5 → 5',
    'charge reserved -1.25 → 3.75',
    'charge spent 1.25 → 1.25',
    'release reserved -3.75 → 0',
    'release available 3.75 → -1.25',
  ]);
});

test('what runs past its reservation reserves first', async ({ db }) => {
  const [tenantId, jobId] = [await insertTenant(db, 'vision'), newId('job')];
  await db.transaction((tx) => reserve(tx, posting(tenantId, jobId, 1_000_000)));
  await db.transaction((tx) => charge(tx, posting(tenantId, jobId, 1_500_000)));
  expect((await lines(db, tenantId)).slice(2)).toEqual([
    'reserve available -0.5 → -1.5',
    'reserve reserved 0.5 → 1.5',
    'charge reserved -1.5 → 0',
    'charge spent 1.5 → 1.5',
  ]);
});

test('one job never takes from another job’s reservation', async ({ db }) => {
  const tenantId = await insertTenant(db, 'vision');
  const [first, second] = [newId('job'), newId('job')];
  await db.transaction((tx) => reserve(tx, posting(tenantId, first, 1_000_000)));
  await db.transaction((tx) => charge(tx, posting(tenantId, second, 400_000)));
  expect(await db.transaction((tx) => release(tx, posting(tenantId, first, 0)))).toBe(1_000_000);
});

test('a refund gives back at most what was charged', async ({ db }) => {
  const [tenantId, jobId] = [await insertTenant(db, 'vision'), newId('job')];
  await db.transaction((tx) => charge(tx, posting(tenantId, jobId, 300_000)));
  await expect(db.transaction((tx) => refund(tx, posting(tenantId, jobId, 300_001)))).rejects.toThrow(RangeError);
  await db.transaction((tx) => refund(tx, posting(tenantId, jobId, 300_000)));
  expect(await committed(db.client, tenantId, epoch)).toEqual({ spentThisMonth: 0, spentTotal: 0, reserved: 0 });
});

test('budgets count the month in UTC, corrections included', async ({ db }) => {
  const [tenantId, jobId] = [await insertTenant(db, 'vision'), newId('job')];
  const idle = await insertTenant(db, 'idle');
  const at = (text: string) => posting(tenantId, jobId, 1_000_000, new Date(text));
  await db.transaction((tx) => charge(tx, at('2026-10-31T23:59:59.999Z')));
  await db.transaction((tx) => charge(tx, at('2026-11-01T00:00:00Z')));
  await db.transaction((tx) => reserve(tx, at('2026-11-02T00:00:00Z')));
  await db.transaction((tx) => adjust(tx, { tenantId, amount: -250_000, note: 'goodwill', at: epoch }));
  const expected = { spentThisMonth: 750_000, spentTotal: 1_750_000, reserved: 1_000_000 };
  expect(await committed(db.client, tenantId, epoch)).toEqual(expected);
  const everyone = await committedByTenant(db.client, epoch);
  expect(everyone.get(tenantId)).toEqual(expected);
  expect(everyone.get(idle)).toEqual({ spentThisMonth: 0, spentTotal: 0, reserved: 0 });
});

test('the accounts balance to the micro-dollar also beyond what a number holds exactly', async ({ db }) => {
  const tenantId = await insertTenant(db, 'vision');
  const jobs = Array.from({ length: 12 }, () => newId('job'));
  for (const jobId of jobs) await db.transaction((tx) => reserve(tx, posting(tenantId, jobId, 1e15)));
  for (const jobId of jobs) await db.transaction((tx) => charge(tx, posting(tenantId, jobId, 1)));
  await expectBalanced(db, tenantId);
  for (const jobId of jobs) await db.transaction((tx) => release(tx, posting(tenantId, jobId, 0)));
  expect(await committed(db.client, tenantId, epoch)).toEqual({ spentThisMonth: 12, spentTotal: 12, reserved: 0 });
});

test('a line is never dated before the line it follows', async ({ db }) => {
  const [tenantId, jobId] = [await insertTenant(db, 'vision'), newId('job')];
  await db.transaction((tx) => charge(tx, posting(tenantId, jobId, 1, minutesLater(5))));
  await db.transaction((tx) => charge(tx, posting(tenantId, jobId, 1, epoch)));
  const statement = await listStatement(db.client, tenantId, { limit: 100 });
  expect(new Set(statement.map(({ at }) => at))).toEqual(new Set([minutesLater(5).toISOString()]));
});

test('a statement is read page by page, each line once', async ({ db }) => {
  const [tenantId, jobId] = [await insertTenant(db, 'vision'), newId('job')];
  for (const amount of [1, 2, 3]) await db.transaction((tx) => reserve(tx, posting(tenantId, jobId, amount)));
  const seen: string[] = [];
  for (let after: string | undefined; ; after = seen.at(-1)) {
    const page = await listStatement(db.client, tenantId, { limit: 4, ...(after === undefined ? {} : { after }) });
    if (page.length === 0) break;
    seen.push(...page.map(({ id }) => id));
  }
  expect(seen).toHaveLength(6);
  await expect(
    listStatement(db.client, await insertTenant(db, 'other'), { limit: 4, after: seen[0] ?? '' }),
  ).rejects.toThrow('cursor');
  expect(new Set(seen).size).toBe(6);
});

const line = (tenantId: string) => ({ transactionId: newId('entry'), tenantId, at: epoch, kind: 'adjust', note: '' });

test('the database refuses half a transfer when it commits, and a balance that does not continue its account', async ({
  db,
}) => {
  const tenantId = await insertTenant(db, 'vision');
  const half = { id: newId('entry'), ...line(tenantId), account: 'spent', amountMicroUsd: 5n, balanceMicroUsd: 5n };
  await expect(db.client.ledgerEntry.create({ data: half })).rejects.toThrow('sum to 5 micro-dollars');
  await db.transaction((tx) => adjust(tx, { tenantId, amount: 5, note: '', at: epoch }));
  const both = ['available', 'spent'].map((account, index) => {
    const amountMicroUsd = index === 0 ? -7n : 7n;
    return {
      id: newId('entry'),
      ...line(tenantId),
      transactionId: 'one',
      account,
      amountMicroUsd,
      balanceMicroUsd: amountMicroUsd,
    };
  });
  await expect(db.client.ledgerEntry.createMany({ data: both })).rejects.toThrow('does not continue');
  const early = both.map((entry) => {
    const balanceMicroUsd = entry.amountMicroUsd < 0n ? -12n : 12n;
    return { ...entry, balanceMicroUsd, at: minutesLater(-1) };
  });
  await expect(db.client.ledgerEntry.createMany({ data: early })).rejects.toThrow('does not continue');
  await db.client.ledgerEntry.createMany({ data: early.map((entry) => ({ ...entry, at: epoch })) });
  await expectBalanced(db, tenantId);
});

test('nothing that was written is changed or removed', async ({ db }) => {
  const tenantId = await insertTenant(db, 'vision');
  await db.transaction((tx) => adjust(tx, { tenantId, amount: 5, note: '', at: epoch }));
  for (const table of ['ledger_entry', 'usage_entry'])
    await expect(db.pool.query(`TRUNCATE ${table}`)).rejects.toThrow('append-only');
  await expect(db.pool.query('UPDATE ledger_entry SET amount_micro_usd = 0')).rejects.toThrow('append-only');
  await expect(db.pool.query('DELETE FROM ledger_entry')).rejects.toThrow('append-only');
  expect(await lines(db, tenantId)).toHaveLength(2);
});

test('a notice stands on the statement and moves nothing', async ({ db }) => {
  const tenantId = await insertTenant(db, 'vision');
  await db.transaction((tx) => adjust(tx, { tenantId, amount: 1_000_000, note: 'setup', at: epoch }));
  await db.transaction((tx) =>
    postNotice(tx, { tenantId, note: 'The HHI is 0.6, above its ceiling of 0.5.', at: epoch }),
  );
  expect((await lines(db, tenantId)).at(-1)).toBe('adjust spent 0 → 1');
  await expectBalanced(db, tenantId);
});

test('a job’s refund is of its charges, whatever an operator has corrected', async ({ db }) => {
  const [tenantId, jobId] = [await insertTenant(db, 'vision'), newId('job')];
  await db.transaction((tx) => charge(tx, posting(tenantId, jobId, 300_000)));
  await db.transaction((tx) => adjust(tx, { tenantId, jobId, amount: -200_000, note: 'goodwill', at: epoch }));
  await db.transaction((tx) => refund(tx, posting(tenantId, jobId, 300_000)));
  expect((await committed(db.client, tenantId, epoch)).spentTotal).toBe(-200_000);
});

const step = fc.record({
  verb: fc.constantFrom('reserve', 'charge', 'release', 'refund', 'adjust', 'notice'),
  job: fc.integer({ min: 0, max: 2 }),
  amount: fc.integer({ min: 0, max: 10_000_000 }),
  crashes: fc.boolean(),
});

test(
  'after any history with crashes, also of concurrent writers, the accounts balance',
  { timeout: 120_000 },
  async ({ db }) => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(step, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 3 }),
        async (writers) => {
          const tenantId = await insertTenant(db, `tenant-${run++}`);
          const jobs = [newId('job'), newId('job'), newId('job')];
          await Promise.all(writers.map((steps) => carryOut(db, tenantId, jobs, steps)));
          await expectBalanced(db, tenantId);
          for (const jobId of jobs) await db.transaction((tx) => release(tx, posting(tenantId, jobId, 0)));
          await expectBalanced(db, tenantId);
          expect((await committed(db.client, tenantId, epoch)).reserved).toBe(0);
        },
      ),
      { numRuns: 25 },
    );
  },
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function carryOut(db: Database, tenantId: string, jobs: string[], steps: Step[]): Promise<void> {
  for (const { verb, job, amount, crashes } of steps) {
    const line = posting(tenantId, jobs[job] ?? '', amount);
    const verbs = { reserve, charge, release, refund, adjust, notice: postNotice } as const;
    await db
      .transaction(async (tx) => {
        await verbs[verb](tx, line);
        if (crashes) throw new Error('crash');
      })
      // A refund may ask for more than was charged: refused whole.
      .catch((error: unknown) => {
        if (!(error instanceof RangeError) && !(error instanceof Error && error.message === 'crash')) throw error;
      });
  }
}

async function expectBalanced(db: Database, tenantId: string): Promise<void> {
  const entries = await db.client.ledgerEntry.findMany({ where: { tenantId }, orderBy: { seq: 'asc' } });
  const sum = (rows: typeof entries) => rows.reduce((total, { amountMicroUsd }) => total + amountMicroUsd, 0n);
  for (const transaction of Map.groupBy(entries, (entry) => entry.transactionId).values())
    expect(sum(transaction)).toBe(0n);
  for (const account of accounts) {
    const rows = entries.filter((entry) => entry.account === account);
    expect(rows.at(-1)?.balanceMicroUsd ?? 0n).toBe(sum(rows));
    if (account === 'reserved')
      for (const { balanceMicroUsd } of rows) expect(balanceMicroUsd).toBeGreaterThanOrEqual(0n);
  }
}
