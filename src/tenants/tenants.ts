import { notFound, WeirError } from '../core/errors.ts';
import type { Database, Sql } from '../db/database.ts';
import type { Policy, Tenant } from '../protocol/tenant.ts';
import { byConfiguration, writeAudit } from './audit.ts';

export type NewTenantRow = {
  id: string;
  name: string;
  actor: string;
  /** That it begins with. */
  policy?: Policy | undefined;
};

/**
 * Makes a tenant; the same id again is the same tenant.
 * @throws WeirError `conflict` where another tenant has the name.
 */
export async function createTenant(db: Database, { id, name, actor, policy }: NewTenantRow): Promise<Tenant> {
  return db.transaction(async (tx) => {
    const { count } = await tx.tenant.createMany({ data: { id, name }, skipDuplicates: true });
    const tenant = await tx.tenant.findUnique({ where: { id } });
    if (tenant === null)
      throw new WeirError('conflict', `There is a tenant named "${name}" already; choose another name.`);
    if (count > 0) {
      await writeAudit(tx, { actor, tenantId: id, action: 'tenant.create', target: id, after: { name } });
      if (policy !== undefined) await beginPolicy(tx, id, policy);
    }
    return view(tenant);
  });
}

async function beginPolicy(tx: Sql, tenantId: string, policy: Policy): Promise<void> {
  const actor = byConfiguration;
  await tx.policyVersion.create({ data: { tenantId, policy, createdBy: actor } });
  await writeAudit(tx, { actor, tenantId, action: 'policy.put', target: tenantId, before: {}, after: policy });
}

/** @throws WeirError `not-found` */
export async function requireTenant(sql: Sql, id: string): Promise<Tenant> {
  const tenant = await sql.tenant.findUnique({ where: { id } });
  if (tenant === null) throw notFound('tenant', id);
  return view(tenant);
}

export async function isTenant(sql: Sql, id: string): Promise<boolean> {
  return (await sql.tenant.count({ where: { id } })) > 0;
}

/** By its id or its name, which is unique. */
export async function findTenant(sql: Sql, idOrName: string): Promise<Tenant | undefined> {
  const tenant = await sql.tenant.findFirst({ where: { OR: [{ id: idOrName }, { name: idOrName }] } });
  return tenant === null ? undefined : view(tenant);
}

/** Newest first. */
export async function listTenants(
  sql: Sql,
  { after, take }: { after: string | undefined; take: number },
): Promise<Tenant[]> {
  const rows = await sql.tenant.findMany({
    ...(after === undefined ? {} : { where: { id: { lt: after } } }),
    orderBy: { id: 'desc' },
    take,
  });
  return rows.map(view);
}

function view({ id, name, createdAt }: { id: string; name: string; createdAt: Date }): Tenant {
  return { id, name, createdAt: createdAt.toISOString() };
}
