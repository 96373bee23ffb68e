import { newId } from '../core/ids.ts';
import type { MicroUsd } from '../core/money.ts';
import { Prisma, type Sql } from '../db/database.ts';
import {
  accounts,
  adjustLegs,
  chargeLegs,
  noticeLegs,
  refundLegs,
  releaseLegs,
  reserveLegs,
  withBalances,
  type Account,
  type Balances,
  type Held,
  type Leg,
} from './ledger.ts';
import { monthStart } from './window.ts';

/** On whose account, and why. `at` is when it happened; a line is never dated before the line it follows. */
export type Posting = { tenantId: string; jobId: string; attempt: number; note: string; at: Date };

/** Whoever writes to a tenant's accounts, or decides by them, holds this until the transaction ends. */
export async function lockTenant(tx: Sql, tenantId: string): Promise<void> {
  await tx.$queryRaw`SELECT pg_advisory_xact_lock(hashtext(${`ledger:${tenantId}`}))::text`;
}

/** Of several tenants, in one statement. */
export async function lockTenants(tx: Sql, tenantIds: string[]): Promise<void> {
  const names = tenantIds.map((id) => `ledger:${id}`);
  if (names.length > 0)
    await tx.$queryRaw`SELECT count(pg_advisory_xact_lock(hashtext(name))::text) FROM unnest(${names}::text[]) AS name`;
}

export async function reserve(tx: Sql, posting: Posting & { amount: MicroUsd }): Promise<void> {
  await post(tx, posting, () => reserveLegs(posting.amount));
}

/** Takes from the job's reservation, and beyond it from what is available. */
export async function charge(tx: Sql, posting: Posting & { amount: MicroUsd }): Promise<void> {
  await post(tx, posting, (held) => chargeLegs(held, posting.amount));
}

/** Gives back what is left of the job's reservation; answers how much that was. */
export async function release(tx: Sql, posting: Posting): Promise<MicroUsd> {
  const { reserved } = await post(tx, posting, releaseLegs);
  return reserved;
}

/** The money alone. `refundUse` in usage.ts takes it back from the use as well. */
export async function refund(tx: Sql, posting: Posting & { amount: MicroUsd }): Promise<void> {
  await post(tx, posting, (held) => refundLegs(held, posting.amount));
}

export type Correction = Pick<Posting, 'tenantId' | 'note' | 'at'> & {
  amount: MicroUsd;
  /** What it is about; the job keeps its own cost. */
  jobId?: string | null;
  /** Of the line on `spent`, where it is chosen already. */
  id?: string;
};

/** Above zero the tenant owes more, below zero less. */
export async function adjust(tx: Sql, { id, jobId = null, amount, ...posting }: Correction): Promise<void> {
  await post(tx, { ...posting, jobId, attempt: null, spentLineId: id }, () => adjustLegs(amount));
}

/** Puts something on a tenant's statement that moves no money, such as the breach of a ceiling. */
export async function postNotice(
  tx: Sql,
  notice: Pick<Posting, 'tenantId' | 'note' | 'at'> & { jobId?: string },
): Promise<void> {
  await post(tx, { ...notice, jobId: notice.jobId ?? null, attempt: null }, noticeLegs);
}

type AnyPosting = Omit<Posting, 'jobId' | 'attempt'> & {
  jobId: string | null;
  attempt: number | null;
  spentLineId?: string | undefined;
};

/** Writes one transaction of the ledger; answers what the job held before it. */
async function post(
  tx: Sql,
  { tenantId, jobId, attempt, note, at, spentLineId }: AnyPosting,
  decide: (held: Held) => Leg[],
): Promise<Held> {
  // Locked in a statement of its own: the next one then sees all that its former holder wrote.
  await lockTenant(tx, tenantId);
  const { balances, held, lastAt } = await readAccounts(tx, tenantId, jobId);
  const transactionId = newId('entry');
  const shared = { transactionId, tenantId, jobId, attempt, note, at: lastAt !== null && lastAt > at ? lastAt : at };
  const lines = withBalances(balances, decide(held)).map(({ account, kind, amount, balance }) => {
    const id = (account === 'spent' ? spentLineId : undefined) ?? newId('entry');
    return { ...shared, id, account, kind, amountMicroUsd: amount, balanceMicroUsd: balance };
  });
  if (lines.length > 0) await tx.ledgerEntry.createMany({ data: lines });
  return held;
}

type AccountRow = { account: Account; balance: number; held: number; at: Date | null };

async function readAccounts(
  tx: Sql,
  tenantId: string,
  jobId: string | null,
): Promise<{ balances: Balances; held: Held; lastAt: Date | null }> {
  const rows = await tx.$queryRaw<AccountRow[]>`
    SELECT a.account, coalesce(last.balance, 0)::float8 AS balance, coalesce(job.held, 0)::float8 AS held, last.at
    FROM unnest(${[...accounts]}::text[]) AS a(account)
    LEFT JOIN LATERAL (
      SELECT balance_micro_usd AS balance, at FROM ledger_entry
      WHERE tenant_id = ${tenantId} AND account = a.account ORDER BY at DESC, seq DESC LIMIT 1
    ) last ON true
    LEFT JOIN LATERAL (
      SELECT sum(amount_micro_usd) AS held FROM ledger_entry
      WHERE job_id = ${jobId} AND account = a.account AND kind <> 'adjust'
    ) job ON true`;
  const of = (account: Account) => rows.find((row) => row.account === account) ?? { balance: 0, held: 0, at: null };
  const lastAt = rows.reduce<Date | null>(
    (latest, { at }) => (latest === null || (at !== null && at > latest) ? at : latest),
    null,
  );
  return {
    balances: { available: of('available').balance, reserved: of('reserved').balance, spent: of('spent').balance },
    held: { reserved: of('reserved').held, spent: of('spent').held },
    lastAt,
  };
}

/** What a job holds of its tenant's accounts. */
export async function heldBy(sql: Sql, tenantId: string, jobId: string): Promise<Held> {
  return (await readAccounts(sql, tenantId, jobId)).held;
}

/** What stands against a tenant's budgets. Months are of UTC. */
export type Committed = { spentThisMonth: MicroUsd; spentTotal: MicroUsd; reserved: MicroUsd };

/** For a decision by it, `lockTenant` first. */
export async function committed(tx: Sql, tenantId: string, now: Date): Promise<Committed> {
  const byTenant = await readCommitted(tx, Prisma.sql`(SELECT ${tenantId}::text AS id)`, now);
  return byTenant.get(tenantId) ?? { spentThisMonth: 0, spentTotal: 0, reserved: 0 };
}

/** Of every tenant there is. */
export function committedByTenant(sql: Sql, now: Date): Promise<Map<string, Committed>> {
  return readCommitted(sql, Prisma.sql`tenant`, now);
}

/** A few index lookups a tenant, however long its ledger is. */
async function readCommitted(sql: Sql, tenants: Prisma.Sql, now: Date): Promise<Map<string, Committed>> {
  const last = (account: Account, before: Prisma.Sql = Prisma.empty) => Prisma.sql`
    coalesce((
      SELECT balance_micro_usd FROM ledger_entry
      WHERE tenant_id = t.id AND account = ${account} ${before} ORDER BY at DESC, seq DESC LIMIT 1
    ), 0)::float8`;
  const rows = await sql.$queryRaw<(Committed & { id: string })[]>`
    SELECT t.id, ${last('reserved')} AS reserved, ${last('spent')} AS "spentTotal",
      ${last('spent')} - ${last('spent', Prisma.sql`AND at < ${monthStart(now)}`)} AS "spentThisMonth"
    FROM ${tenants} t`;
  return new Map(rows.map(({ id, ...amounts }) => [id, amounts]));
}
