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

export type Reservation = Posting & { amount: MicroUsd };

export async function reserve(tx: Sql, reservation: Reservation): Promise<void> {
  await reserveAll(tx, [reservation]);
}

/** Of many jobs and tenants at once, in a few statements however many they are. */
export async function reserveAll(tx: Sql, reservations: readonly Reservation[]): Promise<void> {
  const postings = reservations.map(({ amount, ...posting }) => ({ ...posting, decide: () => reserveLegs(amount) }));
  await postAll(tx, postings);
}

export type Charge = Posting & { amount: MicroUsd };

/** Takes from the job's reservation, and beyond it from what is available. */
export async function charge(tx: Sql, posting: Charge): Promise<void> {
  await chargeAll(tx, [posting], undefined);
}

/** The same of several, and then, where it is asked, gives back what is left of a job's reservation. */
export async function chargeAll(tx: Sql, charges: readonly Charge[], closing: Posting | undefined): Promise<void> {
  const postings = charges.map(({ amount, ...posting }) => ({
    ...posting,
    decide: (held: Held) => chargeLegs(held, amount),
  }));
  await postAll(tx, [...postings, ...(closing === undefined ? [] : [{ ...closing, decide: releaseLegs }])]);
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

type Decide = { decide: (held: Held) => Leg[] };

/** Writes one transaction of the ledger; answers what the job held before it. */
async function post(tx: Sql, posting: AnyPosting, decide: Decide['decide']): Promise<Held> {
  const [held = { reserved: 0, spent: 0 }] = await postAll(tx, [{ ...posting, decide }]);
  return held;
}

/** Writes one transaction of the ledger for each, in this order; answers what each one's job held before it. */
async function postAll(tx: Sql, postings: readonly (AnyPosting & Decide)[]): Promise<Held[]> {
  if (postings.length === 0) return [];
  const tenantIds = [...new Set(postings.map(({ tenantId }) => tenantId))].toSorted();
  // Locked in a statement of its own: the next one then sees all that its former holder wrote.
  await lockTenants(tx, tenantIds);
  const jobIds = [...new Set(postings.flatMap(({ jobId }) => jobId ?? []))];
  const books = await readBooks(tx, tenantIds, jobIds);
  const before: Held[] = [];
  const lines = postings.flatMap(({ decide, spentLineId, ...posting }) => {
    const book = books.of(posting.tenantId);
    const held = books.heldBy(posting.jobId);
    before.push({ ...held });
    const written = withBalances(book.balances, decide(held));
    if (written.length > 0 && (book.lastAt === null || posting.at > book.lastAt)) book.lastAt = posting.at;
    const shared = { ...posting, transactionId: newId('entry'), at: book.lastAt ?? posting.at };
    return written.map(({ account, kind, amount, balance }) => {
      book.balances[account] = balance;
      if (account !== 'available' && kind !== 'adjust') held[account] += amount;
      const id = (account === 'spent' ? spentLineId : undefined) ?? newId('entry');
      return { ...shared, id, account, kind, amountMicroUsd: amount, balanceMicroUsd: String(balance) };
    });
  });
  if (lines.length > 0) await insertLines(tx, lines);
  return before;
}

/** A tenant's accounts, and when the last line was written into them. */
type Book = { balances: Balances; lastAt: Date | null };

type BookRow = { tenantId: string; jobId: string | null; account: Account; amount: bigint; at: Date };

/** Of these tenants their accounts, and of these jobs what they hold of them; to be counted on. */
async function readBooks(tx: Sql, tenantIds: string[], jobIds: string[]) {
  const rows = await tx.$queryRaw<BookRow[]>`
    SELECT t.id AS "tenantId", NULL AS "jobId", a.account, last.balance AS amount, last.at
    FROM unnest(${tenantIds}::text[]) AS t(id) CROSS JOIN unnest(${[...accounts]}::text[]) AS a(account)
    CROSS JOIN LATERAL (
      SELECT balance_micro_usd AS balance, at FROM ledger_entry
      WHERE tenant_id = t.id AND account = a.account ORDER BY at DESC, seq DESC LIMIT 1
    ) last
    UNION ALL
    SELECT tenant_id, job_id, account, sum(amount_micro_usd)::bigint, max(at)
    FROM ledger_entry WHERE job_id = ANY(${jobIds}) AND kind <> 'adjust' GROUP BY 1, 2, 3`;
  const books = new Map<string, Book>();
  const held = new Map<string | null, Held>();
  const of = (tenantId: string): Book => {
    const book = books.get(tenantId) ?? { balances: { available: 0n, reserved: 0n, spent: 0n }, lastAt: null };
    books.set(tenantId, book);
    return book;
  };
  const heldBy = (jobId: string | null): Held => {
    const amounts = held.get(jobId) ?? { reserved: 0, spent: 0 };
    held.set(jobId, amounts);
    return amounts;
  };
  for (const { tenantId, jobId, account, amount, at } of rows) {
    if (jobId === null) {
      const book = of(tenantId);
      book.balances[account] = amount;
      if (book.lastAt === null || at > book.lastAt) book.lastAt = at;
    } else if (account !== 'available') heldBy(jobId)[account] = Number(amount);
  }
  return { of, heldBy };
}

/** JSON has no integers as large as a balance may be. */
type NewLine = Omit<Prisma.LedgerEntryCreateManyInput, 'seq' | 'at' | 'balanceMicroUsd'> & {
  at: Date;
  balanceMicroUsd: string;
};

/** In the order in which they continue their accounts. */
async function insertLines(tx: Sql, lines: NewLine[]): Promise<void> {
  await tx.$executeRaw`
    INSERT INTO ledger_entry (id, at, transaction_id, tenant_id, job_id, attempt, account, kind, amount_micro_usd, balance_micro_usd, note)
    SELECT * FROM jsonb_to_recordset(${JSON.stringify(lines)}::jsonb) AS l(id text, at timestamptz, "transactionId" text,
      "tenantId" text, "jobId" text, attempt int, account text, kind text, "amountMicroUsd" bigint, "balanceMicroUsd" bigint, note text)`;
}

/** What a job holds of its tenant's accounts. */
export async function heldBy(sql: Sql, jobId: string): Promise<Held> {
  return (await readBooks(sql, [], [jobId])).heldBy(jobId);
}

/** What stands against a tenant's budgets. Months are of UTC. */
export type Committed = { spentThisMonth: MicroUsd; spentTotal: MicroUsd; reserved: MicroUsd };

/** For a decision by it, `lockTenant` first. */
export async function committed(tx: Sql, tenantId: string, now: Date): Promise<Committed> {
  return committedOf(tx, [tenantId], now);
}

/** Of several together. */
export async function committedOf(sql: Sql, tenantIds: string[], now: Date): Promise<Committed> {
  const each = await readCommitted(sql, Prisma.sql`(SELECT unnest(${tenantIds}::text[]) AS id)`, now);
  const sum = (field: keyof Committed) => [...each.values()].reduce((total, amounts) => total + amounts[field], 0);
  return { spentThisMonth: sum('spentThisMonth'), spentTotal: sum('spentTotal'), reserved: sum('reserved') };
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
