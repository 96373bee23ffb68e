import type { Static } from 'typebox';
import { notFound, WeirError } from '../core/errors.ts';
import type { Database, Sql } from '../db/database.ts';
import type { Secret } from '../protocol/tenant.ts';
import { writeAudit } from './audit.ts';
import { seal, unseal } from './seal.ts';

export type SecretRef = { tenantId: string; name: string; actor: string };

/** Keeps a secret, encrypted; says whether there was none of that name. Its value goes to jobs only, never into an answer, a log or the audit. */
export async function putSecret(
  db: Database,
  secretKey: Buffer,
  { tenantId, name, actor, value }: SecretRef & { value: string },
): Promise<{ secret: Static<typeof Secret>; isNew: boolean }> {
  const sealed = seal(secretKey, value, placeOf(tenantId, name));
  return db.transaction(async (tx) => {
    const { count } = await tx.secret.createMany({ data: { tenantId, name, sealed }, skipDuplicates: true });
    const where = { tenantId_name: { tenantId, name } };
    const row = await tx.secret.update({ where, data: count > 0 ? {} : { sealed, updatedAt: new Date() } });
    await writeAudit(tx, { actor, tenantId, action: 'secret.put', target: name });
    return { secret: view(row), isNew: count > 0 };
  });
}

/** By name. */
export async function listSecrets(
  sql: Sql,
  { tenantId, after, take }: { tenantId: string; after: string | undefined; take: number },
): Promise<Static<typeof Secret>[]> {
  const rows = await sql.secret.findMany({
    where: { tenantId, ...(after === undefined ? {} : { name: { gt: after } }) },
    orderBy: { name: 'asc' },
    take,
    omit: { sealed: true },
  });
  return rows.map(view);
}

/** @throws WeirError `not-found` */
export async function deleteSecret(db: Database, { tenantId, name, actor }: SecretRef): Promise<void> {
  await db.transaction(async (tx) => {
    const { count } = await tx.secret.deleteMany({ where: { tenantId, name } });
    if (count === 0) throw notFound('secret', name);
    await writeAudit(tx, { actor, tenantId, action: 'secret.delete', target: name });
  });
}

/**
 * Checks that a tenant has the secrets that a spec names.
 * @throws WeirError `invalid` naming each that is missing.
 */
export async function requireSecrets(sql: Sql, tenantId: string, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  const rows = await sql.secret.findMany({ where: { tenantId, name: { in: [...names] } }, select: { name: true } });
  requireAll(names, new Set(rows.map(({ name }) => name)));
}

/**
 * The values of secrets, for a job's environment.
 * @throws WeirError `invalid` naming each that is missing.
 */
export async function openSecrets(
  sql: Sql,
  secretKey: Buffer,
  tenantId: string,
  names: readonly string[],
): Promise<Record<string, string>> {
  if (names.length === 0) return {};
  const rows = await sql.secret.findMany({ where: { tenantId, name: { in: [...names] } } });
  requireAll(names, new Set(rows.map(({ name }) => name)));
  return Object.fromEntries(rows.map(({ name, sealed }) => [name, unseal(secretKey, sealed, placeOf(tenantId, name))]));
}

function requireAll(names: readonly string[], found: ReadonlySet<string>): void {
  const faults = names
    .map((name, index) => ({ name, pointer: `/secrets/${index}` }))
    .filter(({ name }) => !found.has(name))
    .map(({ name, pointer }) => ({
      pointer,
      detail: `The tenant has no secret ${name}; PUT /v1/tenants/{tenant}/secrets/${name} makes it.`,
    }));
  if (faults.length > 0) throw new WeirError('invalid', faults.map(({ detail }) => detail).join(' '), { faults });
}

function placeOf(tenantId: string, name: string): string {
  return `secret ${tenantId} ${name}`;
}

function view({
  name,
  createdAt,
  updatedAt,
}: {
  name: string;
  createdAt: Date;
  updatedAt: Date;
}): Static<typeof Secret> {
  return { name, createdAt: createdAt.toISOString(), updatedAt: updatedAt.toISOString() };
}
