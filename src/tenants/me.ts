import type { Sql } from '../db/database.ts';
import type { Me } from '../protocol/session.ts';
import type { Role } from '../protocol/tenant.ts';
import { operatorKeyId } from './sessions.ts';

export type Asking = {
  /** As the audit names it. */
  actor: string;
  role: Role;
  tenantId: string | null;
  session?: { id: string; expiresAt: Date };
};

/** Who asks, for people: the names behind the ids. */
export async function describeMe(sql: Sql, { actor, role, tenantId, session }: Asking): Promise<Me> {
  const opened = session && (await sql.session.findUnique({ where: { id: session.id } }));
  const keyId = session === undefined ? actor : (opened?.keyId ?? null);
  const key = keyId === null ? null : await sql.apiKey.findUnique({ where: { id: keyId }, select: { label: true } });
  const tenant = tenantId === null ? null : await sql.tenant.findUnique({ where: { id: tenantId } });
  return {
    role,
    tenant: tenant && { id: tenant.id, name: tenant.name },
    key: keyId === null ? null : { id: keyId, label: key?.label ?? (keyId === operatorKeyId ? 'operator' : null) },
    person: opened?.person ?? null,
    session: session === undefined ? null : { id: session.id, expiresAt: session.expiresAt.toISOString() },
  };
}
