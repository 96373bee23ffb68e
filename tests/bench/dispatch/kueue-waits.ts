import type pg from 'pg';

/** Jobs that have not ended. The states are named, so that an index answers. */
export async function countLeft(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM job WHERE state IN ('queued', 'provisioning', 'running', 'stopping')`,
  );
  return rows[0]?.count ?? NaN;
}

export type Waits = {
  failed: number;
  /** Attempts that made way. */
  preempted: number;
  /** From its acceptance to its first start; the name of a job is its class. */
  byClass: Record<string, { meanWaitMs: number; p99WaitMs: number }>;
};

export async function readWaits(client: pg.Client): Promise<Waits> {
  const { rows: counts } = await client.query<{ failed: number; preempted: number }>(`
    SELECT (SELECT count(*) FROM job WHERE state <> 'succeeded')::int AS failed,
      (SELECT count(*) FROM attempt WHERE preempted_for IS NOT NULL)::int AS preempted`);
  const { rows: classes } = await client.query<{ name: string; mean: number; p99: number }>(`
    SELECT name, avg(wait)::float8 AS mean, percentile_cont(0.99) WITHIN GROUP (ORDER BY wait) AS p99
    FROM (SELECT name, extract(epoch FROM attempt.created_at - queued_at) * 1000 AS wait
      FROM job JOIN attempt ON attempt.job_id = job.id AND number = 1) started GROUP BY name`);
  const { failed = NaN, preempted = NaN } = counts[0] ?? {};
  return {
    failed,
    preempted,
    byClass: Object.fromEntries(classes.map(({ name, mean, p99 }) => [name, { meanWaitMs: mean, p99WaitMs: p99 }])),
  };
}
