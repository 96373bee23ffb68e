import { notFound } from '../core/errors.ts';
import type { Database, Prisma, Sql } from '../db/database.ts';
import type { JobSpec } from '../protocol/job-spec.ts';
import type { Quote } from '../protocol/quote.ts';
import { toQuote } from './former.ts';

/** Inserting the same quote twice is inserting it once. */
export async function insertQuote(sql: Sql, quote: Quote, tenantId: string, spec: JobSpec): Promise<void> {
  const row = {
    id: quote.id,
    tenantId,
    spec: spec as Prisma.InputJsonObject,
    answer: quote as unknown as Prisma.InputJsonObject,
    createdAt: quote.createdAt,
    expiresAt: quote.expiresAt,
  };
  await sql.quote.createMany({ data: [row], skipDuplicates: true });
}

/** A quote as JSON in one line: the text that is stored, and answered. It may be hundreds of kilobytes, so it is written once. */
export type QuoteAsText = Pick<Quote, 'id' | 'createdAt' | 'expiresAt'> & { text: string };

export function asText(quote: Quote): QuoteAsText {
  const { id, createdAt, expiresAt } = quote;
  return { id, createdAt, expiresAt, text: JSON.stringify(quote) };
}

const insertAnsweredSql = `
  INSERT INTO quote (id, tenant_id, spec, answer, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`;

/**
 * Stores a quote as the text it is answered with, which may be hundreds of kilobytes and is written once for both. Answers that
 * text, or what was stored before under the same id.
 */
export async function insertAnswered(db: Database, quote: Quote, tenantId: string, spec: JobSpec): Promise<string> {
  const text = JSON.stringify(quote);
  const values = [quote.id, tenantId, JSON.stringify(spec), text, quote.createdAt, quote.expiresAt];
  const { rowCount } = await db.pool.query({ name: 'insert-quote', text: insertAnsweredSql, values });
  return rowCount === 1 ? text : JSON.stringify((await requireQuote(db.client, tenantId, quote.id)).quote);
}

export type StoredQuote = { quote: Quote; spec: JobSpec };

/** @throws WeirError `not-found`, also for another tenant's. */
export async function requireQuote(sql: Sql, tenantId: string, quoteId: string): Promise<StoredQuote> {
  const row = await sql.quote.findFirst({ where: { id: quoteId, tenantId } });
  if (row === null) throw notFound('quote', quoteId);
  return { quote: toQuote(row.answer), spec: row.spec as unknown as JobSpec };
}

/** Whosever it is. */
export async function findQuote(sql: Sql, quoteId: string): Promise<(StoredQuote & { tenantId: string }) | undefined> {
  const row = await sql.quote.findUnique({ where: { id: quoteId } });
  return row === null
    ? undefined
    : { tenantId: row.tenantId, quote: toQuote(row.answer), spec: row.spec as unknown as JobSpec };
}
