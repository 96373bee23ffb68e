import type { Sql } from '../db/database.ts';
import type { Instance } from '../protocol/instance.ts';
import type { Offer } from '../protocol/quote.ts';

export type InstanceFilter = {
  states: Instance['state'][];
  provider: string | undefined;
  tenantId: string | undefined;
  after: string | undefined;
  take: number;
};

export type ListedInstance = Awaited<ReturnType<typeof listInstances>>[number];

/** Newest first, each with its attempt. */
export async function listInstances(sql: Sql, { states, provider, tenantId, after, take }: InstanceFilter) {
  const rows = await sql.instance.findMany({
    where: {
      state: { in: states },
      ...(provider === undefined ? {} : { provider }),
      ...(tenantId === undefined ? {} : { tenantId }),
      ...(after === undefined ? {} : { id: { lt: after } }),
    },
    orderBy: { id: 'desc' },
    take,
    omit: { tokenHash: true, host: true, reported: true, sample: true },
    include: { attempt: { select: { jobId: true, number: true, offer: true, stoppingAt: true } } },
  });
  return rows.map(({ attempt, ...row }) => ({
    ...row,
    attempt: { ...attempt, offer: attempt.offer as unknown as Offer },
  }));
}

export async function countInstances(sql: Sql): Promise<Map<string, number>> {
  const rows = await sql.instance.groupBy({ by: ['provider'], where: { state: { not: 'gone' } }, _count: true });
  return new Map(rows.map(({ provider, _count }) => [provider, _count]));
}
