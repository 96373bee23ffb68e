import { hashToken, newToken, sameText } from '../core/tokens.ts';
import { newId } from '../core/ids.ts';
import type { Database, Sql } from '../db/database.ts';
import type { Role } from '../protocol/tenant.ts';
import { writeAudit } from './audit.ts';

/** What a session was opened with. The operator's key of the configuration has no row, so its hash stands for it. */
export type Opener =
  | { kind: 'key'; keyId: string }
  | { kind: 'operator'; keyHash: string }
  | { kind: 'person'; subject: string; person: string };

export type NewSession = { opener: Opener; role: Role; tenantId: string | null; at: Date; lengthMs: number };

export type SessionHolder = {
  sessionId: string;
  actor: string;
  role: Role;
  tenantId: string | null;
  expiresAt: Date;
};

/** Opens a session. Its token is for the cookie; here only its hash stays. */
export async function createSession(
  db: Database,
  { opener, role, tenantId, at, lengthMs }: NewSession,
): Promise<{ token: string; holder: SessionHolder }> {
  const token = newToken();
  const id = newId('session');
  const expiresAt = new Date(at.getTime() + lengthMs);
  const actor = actorOf(opener);
  const row = { id, tokenHash: hashToken(token), role, tenantId, createdAt: at, expiresAt, ...columnsOf(opener) };
  await db.transaction(async (tx) => {
    await tx.session.create({ data: row });
    await writeAudit(tx, { actor, tenantId, action: 'session.create', target: id, after: { role } });
  });
  return { token, holder: { sessionId: id, actor, role, tenantId, expiresAt } };
}

export const operatorKeyId = 'operator';

/** How the audit names who does something. */
function actorOf(opener: Opener): string {
  if (opener.kind === 'key') return opener.keyId;
  return opener.kind === 'operator' ? operatorKeyId : nameOfPerson(opener.person);
}

/** No account at an identity provider may be called so that the audit shows a key. */
function nameOfPerson(person: string): string {
  return `oidc:${person}`;
}

function columnsOf(opener: Opener) {
  if (opener.kind === 'key') return { keyId: opener.keyId };
  if (opener.kind === 'operator') return { keyId: operatorKeyId, keyHash: opener.keyHash };
  return { subject: opener.subject, person: opener.person };
}

/** Whose session this is; undefined where there is none, it has expired, or what it was opened with is no longer good. */
export async function findSession(
  sql: Sql,
  { token, operatorHash, now }: { token: string; operatorHash: string; now: Date },
): Promise<SessionHolder | undefined> {
  const row = await sql.session.findUnique({ where: { tokenHash: hashToken(token) } });
  if (row === null || row.expiresAt <= now) return undefined;
  const { id, keyId, keyHash, person, role, tenantId, expiresAt } = row;
  if (keyHash !== null && !sameText(keyHash, operatorHash)) return undefined;
  if (keyHash === null && keyId !== null && !(await isKeyGood(sql, keyId))) return undefined;
  return { sessionId: id, actor: keyId ?? nameOfPerson(person ?? id), role: role as Role, tenantId, expiresAt };
}

async function isKeyGood(sql: Sql, id: string): Promise<boolean> {
  return (await sql.apiKey.count({ where: { id, revokedAt: null } })) > 0;
}

/** Signs out; again is the same. */
export async function endSession(sql: Sql, id: string): Promise<void> {
  await sql.session.deleteMany({ where: { id } });
}

export async function forgetSessions(sql: Sql, expiredBefore: Date): Promise<void> {
  await sql.session.deleteMany({ where: { expiresAt: { lt: expiredBefore } } });
}
