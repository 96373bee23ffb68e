import { invalid } from '../core/errors.ts';
import { toUsd } from '../core/money.ts';
import type { Prisma, Sql } from '../db/database.ts';
import type { StatementLine, StatementSort } from '../protocol/share.ts';

/** `after` is the id of the last line seen. */
export type StatementOrder = { sort?: StatementSort; after?: string };

export async function listStatement(
  sql: Sql,
  tenantId: string,
  { sort = 'at', after, limit }: StatementOrder & { limit: number },
): Promise<StatementLine[]> {
  const last = after === undefined ? undefined : await requireLine(sql, tenantId, after);
  const [beyond, direction] = sort === 'at' ? (['gt', 'asc'] as const) : (['lt', 'desc'] as const);
  const rows = await sql.ledgerEntry.findMany({
    where: { tenantId, ...(last === undefined ? {} : { seq: { [beyond]: last.seq } }) },
    orderBy: { seq: direction },
    take: limit,
  });
  return rows.map(lineOf);
}

const pageLines = 1000;

/** All lines from there on, a page at a time. */
export async function* readStatement(
  sql: Sql,
  tenantId: string,
  start: StatementOrder,
): AsyncGenerator<StatementLine[]> {
  let from = start;
  for (;;) {
    const page = await listStatement(sql, tenantId, { limit: pageLines, ...from });
    if (page.length > 0) yield page;
    const last = page.at(-1);
    if (last === undefined || page.length < pageLines) return;
    from = { ...from, after: last.id };
  }
}

/** A line of whichever tenant. */
export async function findLine(sql: Sql, id: string): Promise<(StatementLine & { tenantId: string }) | undefined> {
  const row = await sql.ledgerEntry.findUnique({ where: { id } });
  return row === null ? undefined : { ...lineOf(row), tenantId: row.tenantId };
}

export async function isJobOf(sql: Sql, tenantId: string, jobId: string): Promise<boolean> {
  return (await sql.job.count({ where: { id: jobId, tenantId } })) > 0;
}

function lineOf(row: Prisma.LedgerEntryGetPayload<object>): StatementLine {
  const { id, at, jobId, account, kind, amountMicroUsd, balanceMicroUsd, note } = row;
  return {
    id,
    at: at.toISOString(),
    job: jobId,
    account,
    kind: kind as StatementLine['kind'],
    amountUsd: toUsd(Number(amountMicroUsd)),
    balanceUsd: toUsd(Number(balanceMicroUsd)),
    note,
  };
}

async function requireLine(sql: Sql, tenantId: string, id: string): Promise<{ seq: bigint }> {
  const line = await sql.ledgerEntry.findFirst({ where: { id, tenantId }, select: { seq: true } });
  if (line === null)
    throw invalid('?cursor', 'This cursor is not one that this list gave; leave it out to start over.');
  return line;
}
