import type { Sql } from '../db/database.ts';

/** What one tenant itself holds of one kind of accelerator. */
export type Holding = { tenantId: string; kind: string; count: number; jobs: number };

/** Of all tenants, from the intent until the provider no longer shows it. */
export async function readHoldings(sql: Sql): Promise<Holding[]> {
  return sql.$queryRaw<Holding[]>`
    SELECT tenant_id AS "tenantId", offer #>> '{accelerators,kind}' AS kind, count(*)::int AS jobs,
      sum((offer #>> '{accelerators,count}')::int * (offer ->> 'nodes')::int)::int AS count
    FROM attempt WHERE state IN ('provisioning', 'running', 'stopping') AND finished_at IS NULL
    GROUP BY 1, 2`;
}
