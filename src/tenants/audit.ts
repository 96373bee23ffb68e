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

/** The actor of what the configuration's file says. */
export const byConfiguration = 'configuration';

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

export type AuditFilter = {
  tenantId: string | undefined;
  actor: string | undefined;
  /** Whole, or up to a dot: `policy` for all of policies. */
  action: string | undefined;
  target: string | undefined;
  from: Date | undefined;
  to: Date | undefined;
  after: string | undefined;
  take: number;
};

/** Newest first. */
export async function listAudit(sql: Sql, filter: AuditFilter): Promise<Static<typeof AuditEntry>[]> {
  const { tenantId, actor, action, target, from, to, after, take } = filter;
  const rows = await sql.audit.findMany({
    where: {
      ...given({ tenantId, actor, target }),
      ...(action === undefined ? {} : { OR: [{ action }, { action: { startsWith: `${action}.` } }] }),
      at: given({ gte: from, lt: to }),
      id: given({ lt: after }),
    },
    orderBy: { id: 'desc' },
    take,
  });
  return rows.map(({ at, tenantId: tenant, ...row }) => ({ ...row, at: at.toISOString(), tenant }));
}

function given<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const known = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(known) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
