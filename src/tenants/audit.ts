import type { Static } from 'typebox';
import { newId } from '../core/ids.ts';
import { Prisma, type Sql } from '../db/database.ts';
import type { AuditEntry } from '../protocol/tenant.ts';

export type Change = {
  /** The id of the key that did it. */
  actor: string;
  tenantId: string | null;
  action: string;
  target: string;
  before?: Prisma.InputJsonValue;
  after?: Prisma.InputJsonValue;
};

/** Writes who changed what, in the transaction of the change. */
export async function writeAudit(tx: Sql, { before, after, ...change }: Change): Promise<void> {
  await tx.audit.create({
    data: {
      id: newId('audit'),
      at: new Date(),
      ...change,
      before: before ?? Prisma.DbNull,
      after: after ?? Prisma.DbNull,
    },
  });
}

export type AuditFilter = { tenantId: string | undefined; after: string | undefined; take: number };

/** Newest first. */
export async function listAudit(
  sql: Sql,
  { tenantId, after, take }: AuditFilter,
): Promise<Static<typeof AuditEntry>[]> {
  const rows = await sql.audit.findMany({
    where: { ...(tenantId === undefined ? {} : { tenantId }), ...(after === undefined ? {} : { id: { lt: after } }) },
    orderBy: { id: 'desc' },
    take,
  });
  return rows.map(({ at, tenantId: tenant, ...row }) => ({ ...row, at: at.toISOString(), tenant }));
}
