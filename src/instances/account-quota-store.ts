import type { Prisma, Sql } from '../db/database.ts';
import type { Offer } from '../protocol/quote.ts';
import type { UnknownQuota } from '../providers/provider.ts';
import type { KnownQuota, KnownQuotas } from './account-quota.ts';

/** What was read so long ago says nothing any more: whatever keeps it from being read again, the work goes on without. */
const goodForMs = 15 * 60_000;

/** What is known of the limits of each provider's account. */
export async function listAccountQuotas(sql: Sql, now: Date): Promise<KnownQuotas[]> {
  const rows = await sql.accountQuota.findMany({ where: { readAt: { gt: new Date(now.getTime() - goodForMs) } } });
  return rows.map(({ quotas, unknown, ...row }) => ({
    ...row,
    quotas: quotas as unknown as KnownQuota[],
    unknown: unknown as unknown as UnknownQuota[],
  }));
}

/** The newest reading of a provider, in the place of the one before. */
export async function writeAccountQuotas(sql: Sql, { provider, readAt, quotas, unknown }: KnownQuotas): Promise<void> {
  const row = {
    readAt,
    quotas: quotas as unknown as Prisma.InputJsonArray,
    unknown: unknown as unknown as Prisma.InputJsonArray,
  };
  await sql.accountQuota.upsert({ where: { provider }, create: { provider, ...row }, update: row });
}

/** When it was last read; undefined where it never was. */
export async function quotasReadAt(sql: Sql, provider: string): Promise<Date | undefined> {
  const row = await sql.accountQuota.findUnique({ where: { provider }, select: { readAt: true } });
  return row?.readAt;
}

/** Machines of ours that the provider has for sure: made, and not told to end. */
export async function listSteady(sql: Sql, provider: string): Promise<{ id: string; offer: Offer }[]> {
  return sql.$queryRaw<{ id: string; offer: Offer }[]>`
    SELECT instance.id, attempt.offer FROM instance JOIN attempt ON attempt.id = instance.attempt_id
    WHERE instance.provider = ${provider} AND instance.state IN ('booting', 'ready')
      AND attempt.state IN ('provisioning', 'running') AND attempt.finished_at IS NULL`;
}
