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
  /** Of each what a decision needs: the rest is most of it. */
  options: Pick<QuoteOption, 'id' | 'offer' | 'durationSeconds' | 'costUsd'>[];
  /** Micro-dollars, of all attempts. */
  charged: number;
  attempts: RecordedAttempt[];
};

type Period = { from: Date; to: Date };

/** Those that were cancelled before they ran are left out: nobody knows what they would have taken. */
const isRecorded = ({ from, to }: Period) => Prisma.sql`queued_at >= ${from} AND queued_at < ${to} AND NOT held
  AND (state NOT IN ('cancelled', 'failed') OR EXISTS (SELECT FROM attempt WHERE job_id = job.id))`;

/** How many jobs a period has, and how many options to run on they had together; of no more jobs than `most`. */
export async function measureHistory(
  sql: Sql,
  period: Period,
  most: number,
): Promise<{ jobs: number; options: number }> {
  const [row] = await sql.$queryRaw<[{ jobs: number; options: number }]>`
    SELECT count(*)::int AS jobs, coalesce(sum(jsonb_array_length(options)), 0)::float8 AS options
    FROM (SELECT options FROM job WHERE ${isRecorded(period)} LIMIT ${most}) job`;
  return row;
}

const neededOptions = Prisma.raw(
  `(SELECT coalesce(jsonb_agg(jsonb_build_object('id', option->'id', 'offer', option->'offer',
      'durationSeconds', option->'durationSeconds', 'costUsd', option->'costUsd') ORDER BY place), '[]')
    FROM jsonb_array_elements(options) WITH ORDINALITY AS each(option, place)) AS options`,
);

/** The jobs that came into the queue in a period, in that order; arrays by their tasks. */
export async function readHistory(sql: Sql, period: Period): Promise<RecordedJob[]> {
  return sql.$queryRaw<RecordedJob[]>`
    SELECT id, tenant_id AS "tenantId", priority, queued_at AS "queuedAt", ${neededSpec}, ${neededOptions},
      charged_micro_usd::float8 AS charged, coalesce(a.attempts, '[]') AS attempts
    FROM job LEFT JOIN LATERAL (
      SELECT jsonb_agg(jsonb_build_object('number', number, 'offer', offer, 'createdAt', created_at, 'finishedAt', finished_at)
        ORDER BY number) AS attempts
      FROM attempt WHERE job_id = job.id
    ) a ON true
    WHERE ${isRecorded(period)}
    ORDER BY queued_at, id`;
}

/** Of these tenants those that there are not. */
export async function findUnknownTenants(sql: Sql, ids: string[]): Promise<Set<string>> {
  const rows = await sql.$queryRaw<{ id: string }[]>(
    Prisma.sql`SELECT id FROM unnest(${ids}::text[]) AS id WHERE id NOT IN (SELECT id FROM tenant)`,
  );
  return new Set(rows.map(({ id }) => id));
}
