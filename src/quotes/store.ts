import { notFound } from '../core/errors.ts';
import type { Prisma, Sql } from '../db/database.ts';
import type { JobSpec } from '../protocol/job-spec.ts';
import type { Quote } from '../protocol/quote.ts';

/** A quote's row, as it is inserted alone here and with its job by a submission. */
export function toQuoteRow(quote: Quote, tenantId: string, spec: JobSpec): Prisma.QuoteCreateManyInput {
  return {
    id: quote.id,
    tenantId,
    spec: spec as Prisma.InputJsonObject,
    answer: quote as unknown as Prisma.InputJsonObject,
    createdAt: quote.createdAt,
    expiresAt: quote.expiresAt,
  };
}

/** Inserting the same quote twice is inserting it once; false where it was there. */
export async function insertQuote(sql: Sql, quote: Quote, tenantId: string, spec: JobSpec): Promise<boolean> {
  const { count } = await sql.quote.createMany({ data: [toQuoteRow(quote, tenantId, spec)], skipDuplicates: true });
  return count > 0;
}

export type StoredQuote = { quote: Quote; spec: JobSpec };

/** @throws WeirError `not-found`, also for another tenant's. */
export async function requireQuote(sql: Sql, tenantId: string, quoteId: string): Promise<StoredQuote> {
  const row = await sql.quote.findFirst({ where: { id: quoteId, tenantId } });
  if (row === null) throw notFound('quote', quoteId);
  return { quote: row.answer as unknown as Quote, spec: row.spec as unknown as JobSpec };
}

/** Whosever it is. */
export async function findQuote(sql: Sql, quoteId: string): Promise<(StoredQuote & { tenantId: string }) | undefined> {
  const row = await sql.quote.findUnique({ where: { id: quoteId } });
  return row === null
    ? undefined
    : { tenantId: row.tenantId, quote: row.answer as unknown as Quote, spec: row.spec as unknown as JobSpec };
}
