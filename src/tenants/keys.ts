import type { Static } from 'typebox';
import { notFound } from '../core/errors.ts';
import { hashToken, newToken, sameText } from '../core/tokens.ts';
import type { Database, Sql } from '../db/database.ts';
import type { CreatedKey, Key, Role } from '../protocol/tenant.ts';
import { writeAudit } from './audit.ts';

/** `weir_<the key's id>_<its secret>`: the first part finds the row, the second proves the key. */
const keyPattern = /^weir_([0-7][0-9a-hjkmnp-tv-z]{25})_([A-Za-z0-9_-]{43})$/;

export type NewKeyRow = { id: string; tenantId: string; role: Role; label: string | null; actor: string };

/** Makes a key. The same id again gets a new secret: nobody has seen the old one, since its answer was lost. */
export async function createKey(
  db: Database,
  { id, tenantId, role, label, actor }: NewKeyRow,
): Promise<Static<typeof CreatedKey>> {
  const secret = newToken();
  const hash = hashToken(secret);
  await db.transaction(async (tx) => {
    await tx.apiKey.upsert({ where: { id }, create: { id, tenantId, role, label, hash }, update: { hash } });
    await writeAudit(tx, { actor, tenantId, action: 'key.create', target: id, after: { role, label } });
  });
  return { id, role, key: `weir_${id.slice('key_'.length)}_${secret}` };
}

export type Holder = { actor: string; role: Role; tenantId: string | null };

/** Whose key this is, its id as the actor; undefined where it is none, or revoked. */
export async function findHolder(sql: Sql, key: string): Promise<Holder | undefined> {
  const [, suffix, secret] = keyPattern.exec(key) ?? [];
  if (suffix === undefined || secret === undefined) return undefined;
  const row = await sql.apiKey.findUnique({ where: { id: `key_${suffix}` } });
  if (row === null || row.revokedAt !== null || !sameText(row.hash, hashToken(secret))) return undefined;
  return { actor: row.id, role: row.role as Role, tenantId: row.tenantId };
}

export type KeyFilter = { tenantId: string; roles: readonly Role[]; after: string | undefined; take: number };

/** Newest first; of these roles only. */
export async function listKeys(sql: Sql, { tenantId, roles, after, take }: KeyFilter): Promise<Static<typeof Key>[]> {
  const rows = await sql.apiKey.findMany({
    where: { tenantId, role: { in: [...roles] }, ...(after === undefined ? {} : { id: { lt: after } }) },
    orderBy: { id: 'desc' },
    take,
  });
  return rows.map(({ id, role, label, createdAt, revokedAt }) => ({
    id,
    role: role as Role,
    label,
    createdAt: createdAt.toISOString(),
    revokedAt: revokedAt?.toISOString() ?? null,
  }));
}

export type Revocation = { id: string; tenantId: string; roles: readonly Role[]; actor: string };

/**
 * Ends a key of one of these roles; ending it again changes nothing.
 * @throws WeirError `not-found`
 */
export async function revokeKey(db: Database, { id, tenantId, roles, actor }: Revocation): Promise<void> {
  await db.transaction(async (tx) => {
    const where = { id, tenantId, role: { in: [...roles] } };
    if ((await tx.apiKey.count({ where })) === 0) throw notFound('key', id);
    const { count } = await tx.apiKey.updateMany({
      where: { ...where, revokedAt: null },
      data: { revokedAt: new Date() },
    });
    if (count > 0) await writeAudit(tx, { actor, tenantId, action: 'key.revoke', target: id });
  });
}
