import type { Sql } from '../db/database.ts';

export type RequestKey = { scope: string; key: string };
export type Claim = RequestKey & { route: string; bodyHash: string; resourceId: string };

/** False where the key was used before. */
export async function claimRequest(sql: Sql, claim: Claim): Promise<boolean> {
  const { count } = await sql.idempotentRequest.createMany({ data: claim, skipDuplicates: true });
  return count > 0;
}

export async function findRequest(sql: Sql, { scope, key }: RequestKey) {
  return sql.idempotentRequest.findUnique({ where: { scope_key: { scope, key } } });
}

/** Carries on what nobody answered since `claimedAt`; false where another was first. */
export async function takeOverRequest(sql: Sql, { scope, key }: RequestKey, claimedAt: Date): Promise<boolean> {
  const { count } = await sql.idempotentRequest.updateMany({
    where: { scope, key, status: null, createdAt: claimedAt },
    data: { createdAt: new Date() },
  });
  return count > 0;
}

export async function keepAnswer(
  sql: Sql,
  { scope, key }: RequestKey,
  answer: { status: number; sealed: Uint8Array<ArrayBuffer> },
): Promise<void> {
  await sql.idempotentRequest.updateMany({ where: { scope, key }, data: answer });
}

/** The request was refused and made nothing: the key may be used again. */
export async function releaseRequest(sql: Sql, { scope, key }: RequestKey): Promise<void> {
  await sql.idempotentRequest.deleteMany({ where: { scope, key, status: null } });
}

/** It is not known what was made: the next with this key carries on at once, with the same id, as if it was claimed at `deadSince`. */
export async function abandonRequest(sql: Sql, { scope, key }: RequestKey, deadSince: Date): Promise<void> {
  await sql.idempotentRequest.updateMany({ where: { scope, key, status: null }, data: { createdAt: deadSince } });
}

export async function forgetRequests(sql: Sql, before: Date): Promise<void> {
  await sql.idempotentRequest.deleteMany({ where: { createdAt: { lt: before } } });
}
