import { Prisma, type Sql } from '../db/database.ts';
import type { Offer, QuoteOption } from '../protocol/quote.ts';
import { neededSpec, type NeededSpec } from './store.ts';

export type RecordedAttempt = {
  number: number;
  offer: Offer;
  /** Since when it holds its machines, and until when: null where it still does. */
  createdAt: string;
  finishedAt: string | null;
};

export type RecordedJob = {
  id: string;
  tenantId: string;
  priority: number;
  queuedAt: Date;
  spec: NeededSpec;
  options: QuoteOption[];
  /** Micro-dollars, of all attempts. */
  charged: number;
  attempts: RecordedAttempt[];
};

/**
 * The jobs that came into the queue in a period, in that order; arrays by their tasks. Those that were cancelled before they
 * ran are left out: nobody knows what they would have taken.
 */
export async function readHistory(sql: Sql, from: Date, to: Date, limit: number): Promise<RecordedJob[]> {
  return sql.$queryRaw<RecordedJob[]>`
    SELECT id, tenant_id AS "tenantId", priority, queued_at AS "queuedAt", ${neededSpec}, options,
      charged_micro_usd::float8 AS charged, coalesce(a.attempts, '[]') AS attempts
    FROM job LEFT JOIN LATERAL (
      SELECT jsonb_agg(jsonb_build_object('number', number, 'offer', offer, 'createdAt', created_at, 'finishedAt', finished_at)
        ORDER BY number) AS attempts
      FROM attempt WHERE job_id = job.id
    ) a ON true
    WHERE queued_at >= ${from} AND queued_at < ${to} AND NOT held
      AND (state NOT IN ('cancelled', 'failed') OR a.attempts IS NOT NULL)
    ORDER BY queued_at, id LIMIT ${limit}`;
}

/** Of these tenants those that there are not. */
export async function findUnknownTenants(sql: Sql, ids: string[]): Promise<Set<string>> {
  const rows = await sql.$queryRaw<{ id: string }[]>(
    Prisma.sql`SELECT id FROM unnest(${ids}::text[]) AS id WHERE id NOT IN (SELECT id FROM tenant)`,
  );
  return new Set(rows.map(({ id }) => id));
}
