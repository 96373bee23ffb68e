import pg from 'pg';
import { expect } from 'vitest';
import { recordHeartbeat } from '../../src/instances/store.ts';
import { addJob, addTenant, startRunning, test } from './world.ts';

test('a heartbeat writes no index: there are thousands in a second', async ({ world, db }) => {
  const jobId = await addJob(world, await addTenant(world));
  const { attemptId, instanceIds } = await startRunning(world, jobId);
  // A connection of its own: what is counted is of one transaction, beside what others have not told yet.
  const client = new pg.Client({ connectionString: db.url });
  await client.connect();
  try {
    await client.query('BEGIN');
    const beat = { instanceId: instanceIds[0] ?? '', attemptId, attempt: 1, jobId, at: world.now(), sample: {} };
    const pool = client as unknown as typeof db.pool;
    await recordHeartbeat({ ...db, pool }, { ...beat, leaseExpiresAt: new Date(world.now().getTime() + 60_000) });
    const { rows } = await client.query(`
      SELECT relname, pg_stat_get_xact_tuples_updated(oid)::int AS written, pg_stat_get_xact_tuples_hot_updated(oid)::int AS hot
      FROM pg_class WHERE relname IN ('attempt', 'instance') ORDER BY relname`);
    expect(rows).toEqual([
      { relname: 'attempt', written: 1, hot: 1 },
      { relname: 'instance', written: 1, hot: 1 },
    ]);
  } finally {
    await client.end();
  }
});
