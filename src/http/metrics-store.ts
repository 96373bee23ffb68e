import type { Sql } from '../db/database.ts';

export type Reading = {
  jobs: { tenant: string; state: string; count: number }[];
  oldestQueuedSeconds: number;
  instances: { provider: string; state: string; count: number }[];
  heartbeatAgeSeconds: number;
  expiredLeases: number;
  changes: { to: string; reason: string; count: number }[];
  /** Of jobs whose first attempt came to run: from their submission until then. */
  waitsSeconds: number[];
  lastEventId: bigint;
};

type Row = { reading: Omit<Reading, 'lastEventId'> & { lastEventId: number } };

/**
 * One question for all that is measured. Moves are counted from `after` on, a moment late: by then the transactions that took a
 * lower id have ended too, and none is missed.
 */
export async function readInstallation(sql: Sql, after: bigint | undefined): Promise<Reading> {
  const [row] = await sql.$queryRaw<[Row]>`
    WITH last AS (
      SELECT coalesce((SELECT id FROM job_event WHERE at < now() - interval '5 seconds' ORDER BY id DESC LIMIT 1), 0) AS id
    ), counted AS (
      SELECT tenant_id AS tenant, state, count(*) AS count FROM job GROUP BY tenant_id, state
    ), machines AS (
      SELECT provider, state, count(*) AS count FROM instance WHERE state <> 'gone' GROUP BY provider, state
    ), moves AS (
      SELECT "to", coalesce(reason, '') AS reason, count(*) AS count FROM job_event, last
      WHERE job_event.id > ${after ?? null}::bigint AND job_event.id <= last.id AND "to" IS NOT NULL GROUP BY "to", reason
    ), waits AS (
      SELECT greatest(0, extract(epoch FROM job.started_at - job.queued_at)) AS seconds FROM job_event, last, job
      WHERE job_event.id > ${after ?? null}::bigint AND job_event.id <= last.id AND "to" = 'running' AND attempt IS NOT NULL
        AND job.id = job_event.job_id AND job.started_at = job_event.at
    )
    SELECT json_build_object(
      'jobs', (SELECT coalesce(json_agg(counted), '[]') FROM counted),
      'instances', (SELECT coalesce(json_agg(machines), '[]') FROM machines),
      'changes', (SELECT coalesce(json_agg(moves), '[]') FROM moves),
      'waitsSeconds', (SELECT coalesce(json_agg(seconds), '[]') FROM waits),
      'oldestQueuedSeconds', (SELECT coalesce(greatest(extract(epoch FROM now() - min(queued_at)), 0), 0) FROM job WHERE state = 'queued' AND NOT held),
      'heartbeatAgeSeconds', (SELECT coalesce(greatest(extract(epoch FROM now() - min(heartbeat_at)), 0), 0) FROM instance WHERE state = 'ready'),
      'expiredLeases', (SELECT count(*) FROM attempt
        WHERE state IN ('provisioning', 'running', 'stopping') AND finished_at IS NULL AND lease_expires_at < now()),
      'lastEventId', (SELECT id FROM last)
    ) AS reading`;
  const { lastEventId, ...reading } = row.reading;
  return { ...reading, lastEventId: BigInt(Math.max(lastEventId, Number(after ?? 0))) };
}
