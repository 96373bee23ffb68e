import { notFound } from '../core/errors.ts';
import { createBatcher } from '../core/batch.ts';
import { dayMs } from '../core/time.ts';
import type { Database, Prisma, Sql } from '../db/database.ts';
import type { JobSpec } from '../protocol/job-spec.ts';
import type { Quote } from '../protocol/quote.ts';
import { pack, unpack } from './packed.ts';

/** Inserting the same quote twice is inserting it once. */
export async function insertQuote(sql: Sql, quote: Quote, tenantId: string, spec: JobSpec): Promise<void> {
  const row = {
    id: quote.id,
    tenantId,
    spec: spec as Prisma.InputJsonObject,
    packed: await pack(JSON.stringify(quote)),
    createdAt: quote.createdAt,
    expiresAt: quote.expiresAt,
  };
  await sql.quote.createMany({ data: [row], skipDuplicates: true });
}

/** A quote as JSON: the text that is stored, and answered. It may be hundreds of kilobytes, so it is written once. */
export type QuoteAsText = Pick<Quote, 'id' | 'createdAt' | 'expiresAt'> & { text: string };

export function asText(quote: Quote): QuoteAsText {
  const { id, createdAt, expiresAt } = quote;
  return { id, createdAt, expiresAt, text: JSON.stringify(quote) };
}

/** While one batch is being committed the next is written. */
const insertLanes = 2;

type Kept = { quote: QuoteAsText; tenantId: string; spec: JobSpec };

/** Stores quotes, many in one statement. Answers the text of each, or what was stored before under its id. */
export function createKeepQuote(db: Database): (quote: Quote, tenantId: string, spec: JobSpec) => Promise<string> {
  const insert = createBatcher((kept: Kept[]) => insertQuotes(db, kept), insertLanes);
  return async (made, tenantId, spec) => {
    const quote = asText(made);
    if (await insert({ quote, tenantId, spec })) return quote.text;
    return JSON.stringify((await requireQuote(db.client, tenantId, quote.id)).quote);
  };
}

/** Of each whether it is new. */
async function insertQuotes(db: Database, kept: Kept[]): Promise<boolean[]> {
  const rows = kept.map(({ quote: { id, createdAt, expiresAt }, tenantId, spec }) => {
    return { id, tenant_id: tenantId, spec, created_at: createdAt, expires_at: expiresAt };
  });
  const packed = await packLines(kept.map(({ quote }) => quote.text));
  const values = [JSON.stringify(rows), packed];
  const inserted = await db.pool.query<{ id: string }>({ name: 'insert-quotes', text: insertQuotesSql, values });
  const ids = new Set(inserted.rows.map(({ id }) => id));
  return kept.map(({ quote }) => ids.has(quote.id));
}

const insertQuotesSql = `
  INSERT INTO quote (id, tenant_id, spec, created_at, expires_at, packed)
  SELECT id, tenant_id, spec, created_at, expires_at, decode(packed, 'base64')
  FROM ROWS FROM (
    jsonb_to_recordset($1::jsonb) AS (id text, tenant_id text, spec jsonb, created_at timestamptz, expires_at timestamptz),
    string_to_table($2, E'\\n')
  ) AS q(id, tenant_id, spec, created_at, expires_at, packed)
  ON CONFLICT DO NOTHING RETURNING id`;

/** Quotes as a statement takes them: packed, each in a line. */
export async function packLines(texts: readonly string[]): Promise<string> {
  const packed = await Promise.all(texts.map(pack));
  return packed.map((each) => each.toString('base64')).join('\n');
}

/** A quote is kept for so long after it has expired; one that did so before twice that was looked at in time. */
const forgettingMs = 30 * dayMs;
const forgottenAtOnce = 1000;

/** Forgets quotes that no job was made of and no pilot measures. */
export async function forgetQuotes(sql: Sql, now: Date): Promise<void> {
  const [since, before] = [2, 1].map((times) => new Date(now.getTime() - times * forgettingMs));
  let forgotten: number;
  do
    forgotten = await sql.$executeRaw`
      DELETE FROM quote WHERE id IN (
        SELECT id FROM quote WHERE expires_at >= ${since} AND expires_at < ${before}
          AND NOT EXISTS (SELECT FROM job WHERE quote_id = quote.id)
          AND NOT EXISTS (SELECT FROM pilot WHERE quote_id = quote.id AND ended_at IS NULL)
        LIMIT ${forgottenAtOnce})`;
  while (forgotten === forgottenAtOnce);
}

export type StoredQuote = { quote: Quote; spec: JobSpec };

/** @throws WeirError `not-found`, also for another tenant's. */
export async function requireQuote(sql: Sql, tenantId: string, quoteId: string): Promise<StoredQuote> {
  const row = await sql.quote.findFirst({ where: { id: quoteId, tenantId } });
  if (row === null) throw notFound('quote', quoteId);
  return { quote: unpack(row), spec: row.spec as unknown as JobSpec };
}

/** Whosever it is. */
export async function findQuote(sql: Sql, quoteId: string): Promise<(StoredQuote & { tenantId: string }) | undefined> {
  const row = await sql.quote.findUnique({ where: { id: quoteId } });
  return row === null
    ? undefined
    : { tenantId: row.tenantId, quote: unpack(row), spec: row.spec as unknown as JobSpec };
}
