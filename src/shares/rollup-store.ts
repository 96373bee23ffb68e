import { Prisma, type Sql } from '../db/database.ts';

/** Only one at a time: two that summed up for the same hour would wait for each other's rows. */
export async function lockRollup(tx: Sql): Promise<boolean> {
  const [row] = await tx.$queryRaw<
    [{ locked: boolean }]
  >`SELECT pg_try_advisory_xact_lock(hashtext('weir rollup')) AS locked`;
  return row.locked;
}

export async function hasPending(sql: Sql): Promise<boolean> {
  const [row] = await sql.$queryRaw<[{ pending: boolean }]>`SELECT EXISTS (SELECT FROM rollup_pending) AS pending`;
  return row.pending;
}

/** An entry, once as a whole and once in each dimension that it has. */
const useParts = Prisma.raw(`
  SELECT d.dimension, d.value, e.tenant_id, e."from", e.accelerator_seconds, e.petaflop_seconds, e.micro_usd
  FROM entry e CROSS JOIN LATERAL (VALUES ('all', ''), ('kind', e.kind), ('provider', e.provider), ('region', e.region)) AS d(dimension, value)
  UNION ALL
  SELECT 'label:' || l.key, l.value, e.tenant_id, e."from", e.accelerator_seconds, e.petaflop_seconds, e.micro_usd
  FROM entry e JOIN job j ON j.id = e.job_id CROSS JOIN LATERAL jsonb_each_text(j.spec -> 'labels') AS l(key, value)
  WHERE jsonb_typeof(j.spec -> 'labels') = 'object'`);

/**
 * Of the time of an attempt that has ended, what came to nothing: until its command ran, after it had ended, and where it failed or
 * was preempted, what it did since its last checkpoint. Of a job that its tenant cancelled nothing counts as lost.
 */
const wasteParts = (preemptions: readonly string[]) => Prisma.sql`
  SELECT 'waste', w.cause, u.tenant_id, u."from", u.accelerator_seconds * p.part, u.petaflop_seconds * p.part, round(u.micro_usd * p.part)::bigint
  FROM taken t JOIN attempt a ON a.id = t.attempt_id JOIN instance i ON i.attempt_id = a.id
  JOIN usage_entry u ON u.instance_id = i.id AND u."to" > u."from"
  CROSS JOIN LATERAL (
    SELECT max(named_at) AS at FROM artifact
    WHERE job_id = a.job_id AND attempt = a.number AND kind = 'checkpoint' AND named_at <= a.stopping_at
  ) checkpoint
  CROSS JOIN LATERAL (VALUES
    ('provisioning', i.created_at, coalesce(a.started_at, a.stopping_at, a.finished_at)),
    ('idle', a.stopping_at, a.finished_at),
    (CASE WHEN a.reason = ANY(${[...preemptions]}::text[]) THEN 'preempted' ELSE 'failed' END,
      CASE WHEN a.state = 'failed' THEN coalesce(checkpoint.at, a.started_at) END, a.stopping_at)
  ) AS w(cause, since, until)
  CROSS JOIN LATERAL (
    SELECT (extract(epoch FROM least(u."to", w.until) - greatest(u."from", w.since)) / extract(epoch FROM u."to" - u."from"))::float8 AS part
  ) p
  WHERE w.until > w.since AND u."to" > w.since AND u."from" < w.until`;

/**
 * Sums up some of what is pending, oldest first, and takes it off the list in the same transaction: each entry is counted once, however often
 * this is called and whenever it dies. Answers how much that was.
 */
export async function sumUp(tx: Sql, preemptions: readonly string[], batchSize: number): Promise<number> {
  const [row] = await tx.$queryRaw<[{ taken: number }]>`
    WITH taken AS (
      DELETE FROM rollup_pending WHERE id IN (SELECT id FROM rollup_pending ORDER BY id LIMIT ${batchSize})
      RETURNING entry_id, attempt_id
    ), entry AS (
      SELECT u.* FROM taken t JOIN usage_entry u ON u.id = t.entry_id
    ), part AS (
      ${useParts} UNION ALL ${wasteParts(preemptions)}
    ), hourly AS (
      SELECT dimension, date_trunc('hour', "from", 'UTC') AS hour, tenant_id, value,
        sum(accelerator_seconds) AS accelerator_seconds, sum(petaflop_seconds) AS petaflop_seconds, sum(micro_usd) AS micro_usd
      FROM part GROUP BY 1, 2, 3, 4
    ), summed AS (
      SELECT dimension, g.grain, date_trunc(g.grain, hour, 'UTC') AS start, tenant_id, value,
        sum(accelerator_seconds), sum(petaflop_seconds), sum(micro_usd)::bigint
      FROM hourly CROSS JOIN (VALUES ('hour'), ('day'), ('month')) AS g(grain)
      GROUP BY 1, 2, 3, 4, 5
    ), written AS (
      INSERT INTO use_rollup AS r SELECT * FROM summed
      ON CONFLICT (dimension, grain, start, tenant_id, value) DO UPDATE SET
        accelerator_seconds = r.accelerator_seconds + EXCLUDED.accelerator_seconds,
        petaflop_seconds = r.petaflop_seconds + EXCLUDED.petaflop_seconds,
        micro_usd = r.micro_usd + EXCLUDED.micro_usd
    )
    SELECT count(*)::float8 AS taken FROM taken`;
  return row.taken;
}
