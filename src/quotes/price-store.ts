import type { Prisma, Sql } from '../db/database.ts';
import type { ListedPrice, PriceList } from './price-list.ts';

/** The newest prices of a provider, in the place of those before. */
export async function writePrices(sql: Sql, provider: string, readAt: Date, prices: ListedPrice[]): Promise<void> {
  const row = { readAt, prices: prices as unknown as Prisma.InputJsonArray };
  await sql.priceList.upsert({ where: { provider }, create: { provider, ...row }, update: row });
}

/** When the prices were read; undefined where they never were. */
export async function pricesReadAt(sql: Sql, provider: string): Promise<Date | undefined> {
  const row = await sql.priceList.findUnique({ where: { provider }, select: { readAt: true } });
  return row?.readAt;
}

export async function findPrices(sql: Sql, provider: string): Promise<PriceList | undefined> {
  const row = await sql.priceList.findUnique({ where: { provider } });
  if (row === null) return undefined;
  return { date: row.readAt.toISOString().slice(0, 10), prices: row.prices as unknown as ListedPrice[] };
}
