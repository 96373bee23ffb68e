import type { MicroUsd } from '../core/money.ts';
import type { Sql } from '../db/database.ts';

/** What an instance's time has been accounted for. */
export type Accounted = {
  /** Until when; null where nothing was. */
  to: Date | null;
  microUsd: MicroUsd;
  /** Something was refunded: nothing is added any more. */
  isClosed: boolean;
};

export const nothingAccounted: Accounted = { to: null, microUsd: 0, isClosed: false };

export async function readAccounted(sql: Sql, instanceIds: string[]): Promise<Map<string, Accounted>> {
  const rows = await sql.$queryRaw<(Accounted & { id: string })[]>`
    SELECT instance_id AS id, max("to") AS "to", sum(micro_usd)::float8 AS "microUsd", bool_or("from" = "to") AS "isClosed"
    FROM usage_entry WHERE instance_id = ANY(${instanceIds}) GROUP BY instance_id`;
  return new Map(rows.map(({ id, ...accounted }) => [id, accounted]));
}

export type NewUse = {
  tenantId: string;
  jobId: string;
  attempt: number;
  instanceId: string;
  provider: string;
  region: string;
  /** Of accelerator. */
  kind: string;
  from: Date;
  to: Date;
  acceleratorSeconds: number;
  petaflopSeconds: number;
  microUsd: MicroUsd;
};

export async function insertUse(tx: Sql, rows: NewUse[]): Promise<void> {
  if (rows.length === 0) return;
  await tx.$executeRaw`
    INSERT INTO usage_entry (tenant_id, job_id, attempt, instance_id, provider, region, kind, "from", "to", accelerator_seconds,
      petaflop_seconds, micro_usd)
    SELECT * FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS u("tenantId" text, "jobId" text, attempt int,
      "instanceId" text, provider text, region text, kind text, "from" timestamptz, "to" timestamptz, "acceleratorSeconds" float8,
      "petaflopSeconds" float8, "microUsd" bigint)`;
}

type InstanceUse = Pick<NewUse, 'instanceId' | 'provider' | 'region' | 'kind'> & { microUsd: MicroUsd };

/** What each instance of an attempt was charged, refunds taken off. */
export async function readAttemptUse(sql: Sql, jobId: string, attempt: number): Promise<InstanceUse[]> {
  return sql.$queryRaw`
    SELECT i.id AS "instanceId", u.provider, u.region, u.kind, sum(u.micro_usd)::float8 AS "microUsd"
    FROM attempt a JOIN instance i ON i.attempt_id = a.id JOIN usage_entry u ON u.instance_id = i.id
    WHERE a.job_id = ${jobId} AND a.number = ${attempt}
    GROUP BY i.id, u.provider, u.region, u.kind ORDER BY i.node`;
}
