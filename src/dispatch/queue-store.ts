import { Prisma, type Sql } from '../db/database.ts';

export type QueuedHead = {
  id: string;
  tenantId: string;
  priority: number;
  queuedAt: Date;
  eta: string | null;
  /** In its tenant's queue, from 1. */
  place: number;
};

const columns = Prisma.raw(
  `id, tenant_id AS "tenantId", priority, queued_at AS "queuedAt", waiting #>> '{eta,p50}' AS eta`,
);

/** The first so many of each of these tenants' queues. */
export async function readHeads(sql: Sql, tenantIds: string[], length: number): Promise<QueuedHead[]> {
  return sql.$queryRaw<QueuedHead[]>`
    SELECT head.* FROM unnest(${tenantIds}::text[]) AS tenant(id) CROSS JOIN LATERAL (
      SELECT *, row_number() OVER ()::int AS place FROM (
        SELECT ${columns} FROM job WHERE state = 'queued' AND NOT held AND tenant_id = tenant.id
        ORDER BY priority DESC, queued_at, id LIMIT ${length}
      ) line
    ) head`;
}

/** One tenant's queue after one of its jobs. */
export async function readQueueAfter(
  sql: Sql,
  { tenantId, after, take }: { tenantId: string; after: string; take: number },
): Promise<Omit<QueuedHead, 'place'>[]> {
  return sql.$queryRaw`
    SELECT ${columns} FROM job
    WHERE state = 'queued' AND NOT held AND tenant_id = ${tenantId}
      AND (-priority, queued_at, id) > (SELECT -priority, queued_at, id FROM job WHERE id = ${after})
    ORDER BY priority DESC, queued_at, id LIMIT ${take}`;
}

/** How many jobs each tenant has queued, as its cap counts them: those that wait for others among them, and each task of an array. */
export async function countQueued(sql: Sql, tenantId: string | null): Promise<Map<string, number>> {
  const rows = await sql.$queryRaw<{ id: string; count: number }[]>`
    SELECT id, sum(count)::float8 AS count FROM (
      SELECT tenant_id AS id, count(*) AS count FROM job
      WHERE state = 'queued' AND NOT (held AND EXISTS (SELECT FROM job_array WHERE job_id = job.id))
        AND (${tenantId}::text IS NULL OR tenant_id = ${tenantId}) GROUP BY tenant_id
      UNION ALL
      SELECT tenant_id, sum(unmade) FROM job_array
      WHERE unmade > 0 AND (${tenantId}::text IS NULL OR tenant_id = ${tenantId}) GROUP BY tenant_id
    ) part GROUP BY id`;
  return new Map(rows.map(({ id, count }) => [id, count]));
}

export async function readNames(sql: Sql, tenantIds: string[]): Promise<Map<string, string>> {
  const rows = await sql.tenant.findMany({ where: { id: { in: tenantIds } }, select: { id: true, name: true } });
  return new Map(rows.map(({ id, name }) => [id, name]));
}
