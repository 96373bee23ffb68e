import { Prisma, type Sql } from '../db/database.ts';
import type { Quote } from '../protocol/quote.ts';
import { pack } from './packed.ts';

/** The pilot of a quote: which job it is. The row is written with the quote, before the job. */
export type PilotRow = { quoteId: string; tenantId: string; jobId: string; since: Date };

export async function insertPilot(sql: Sql, pilot: PilotRow): Promise<void> {
  await sql.pilot.createMany({ data: [pilot], skipDuplicates: true });
}

/** Of these jobs, the pilots whose quotes wait for them. */
export async function findOpenPilots(sql: Sql, jobIds: string[]): Promise<PilotRow[]> {
  return sql.pilot.findMany({ where: { jobId: { in: jobIds }, endedAt: null } });
}

export async function pilotsAmong(sql: Sql, jobIds: string[]): Promise<Set<string>> {
  const rows = await sql.pilot.findMany({ where: { jobId: { in: jobIds } }, select: { jobId: true } });
  return new Set(rows.map(({ jobId }) => jobId));
}

export async function isPilot(sql: Sql, jobId: string): Promise<boolean> {
  return (await sql.pilot.count({ where: { jobId } })) > 0;
}

/** Pilots whose quote waits for them, oldest first. */
export async function listOpenPilots(sql: Sql, before: Date, limit: number): Promise<PilotRow[]> {
  return sql.pilot.findMany({
    where: { endedAt: null, since: { lt: before } },
    orderBy: { since: 'asc' },
    take: limit,
  });
}

/** Replaces what the quote says by what its pilot found. False where that was done before. */
export async function endPilot(sql: Sql, quote: Quote, at: Date): Promise<boolean> {
  const { count } = await sql.pilot.updateMany({ where: { quoteId: quote.id, endedAt: null }, data: { endedAt: at } });
  if (count === 0) return false;
  const data = { packed: await pack(JSON.stringify(quote)), answer: Prisma.DbNull, expiresAt: quote.expiresAt };
  await sql.quote.update({ where: { id: quote.id }, data });
  return true;
}
