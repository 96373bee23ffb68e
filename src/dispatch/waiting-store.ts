import { Prisma, type Sql } from '../db/database.ts';

export type WaitingRow = {
  id: string;
  position: number;
  eta: { p50: string | null; p90: string | null };
  blockers: unknown[];
  /** When it is expected to start by its reservation; left out where it has none. */
  reserved?: string;
};

/** A reservation that moves by less, beside the whole wait from the submission until then, is not told again. */
const untoldPart = 0.2;
const untoldSeconds = 300;

/**
 * What waiting jobs show, written where it changed. Where what keeps a job is of another kind than before, its history says so, and
 * so it does where it gets a reservation or loses it, or its time is far from the one that was told; whoever follows the job is not
 * woken for it.
 */
export async function writeWaiting(tx: Sql, rows: WaitingRow[], at: Date): Promise<void> {
  if (rows.length === 0) return;
  const values = JSON.stringify(rows.map(({ id, ...waiting }) => ({ id, waiting })));
  const seconds = (from: Prisma.Sql) =>
    Prisma.sql`extract(epoch FROM (w.waiting ->> 'reserved')::timestamptz - ${from})`;
  const why = Prisma.sql`(SELECT string_agg(blocker ->> 'message', ' ') FROM jsonb_array_elements(after -> 'blockers') AS blocker)`;
  await tx.$executeRaw`
    WITH told AS (
      SELECT w.id, before.waiting AS before,
        CASE WHEN abs(${seconds(Prisma.sql`(before.waiting ->> 'reserved')::timestamptz`)})
            <= greatest(${untoldSeconds}::int, ${untoldPart}::float8 * ${seconds(Prisma.sql`before.queued_at`)})
          THEN w.waiting || jsonb_build_object('reserved', before.waiting -> 'reserved') ELSE w.waiting END AS after
      FROM jsonb_to_recordset(${values}::jsonb) AS w(id text, waiting jsonb) JOIN job AS before ON before.id = w.id
    ), changed AS (
      UPDATE job SET waiting = after FROM told
      WHERE job.id = told.id AND job.state = 'queued' AND job.waiting IS DISTINCT FROM after
      RETURNING job.id, before, after, after #>> '{blockers,0,code}' AS reason, before ->> 'reserved' AS since, after ->> 'reserved' AS until
    )
    INSERT INTO job_event (job_id, at, type, reason, message)
    SELECT id, ${at}::timestamptz, 'dispatch.waiting', reason, ${why} FROM changed
    WHERE jsonb_path_query_array(coalesce(before, '{}'), '$.blockers[*].code')
      IS DISTINCT FROM jsonb_path_query_array(after, '$.blockers[*].code')
    UNION ALL
    SELECT id, ${at}::timestamptz, CASE WHEN until IS NULL THEN 'dispatch.unreserved' ELSE 'dispatch.reserved' END, reason, CASE
      WHEN until IS NULL THEN 'Its reservation is gone. ' || ${why}
      WHEN since IS NULL THEN 'What it waits for is reserved for it from ' || until || ': no job that may run longer takes it.'
      ELSE 'Its reservation has moved from ' || since || ' to ' || until || '.' END
    FROM changed WHERE since IS DISTINCT FROM until`;
}

export async function forgetWaiting(tx: Sql, ids: string[]): Promise<void> {
  if (ids.length === 0) return;
  await tx.$executeRaw`UPDATE job SET waiting = NULL WHERE id = ANY(${ids}::text[]) AND state = 'queued'`;
}

/** A job whose start failed in the database: it is tried again later, and does not hold the place of others meanwhile. */
export async function putOff(tx: Sql, jobId: string, until: Date): Promise<void> {
  await tx.$executeRaw`UPDATE job SET not_before = ${until} WHERE id = ${jobId} AND state = 'queued'`;
}
