import type { Database } from '../../src/db/database.ts';
import { waitFor } from './wait.ts';

/** Lets calls come to the job's row one after the other while somebody holds it, then lets go of it. */
export async function meetingAtTheRow(db: Database, jobId: string, calls: (() => Promise<unknown>)[]): Promise<void> {
  const called: Promise<unknown>[] = [];
  await whileHeld(db, `SELECT 1 FROM job WHERE id = '${jobId}' FOR UPDATE`, async () => {
    for (const call of calls) {
      called.push(call());
      await isAwaited(db, called.length);
    }
  });
  await Promise.all(called);
}

/** Does it while somebody else holds what the statement locks. */
export async function whileHeld(db: Database, lock: string, work: () => Promise<unknown>): Promise<void> {
  const holder = await db.pool.connect();
  try {
    await holder.query('BEGIN');
    await holder.query(lock);
    await work();
  } finally {
    await holder.query('COMMIT');
    holder.release();
  }
}

/** Resolves when so many wait for a lock. */
export async function isAwaited({ client }: Database, waiters: number): Promise<void> {
  await waitFor(`${waiters} to wait for a lock`, async () => {
    const [row] = await client.$queryRaw<[{ count: number }]>`
      SELECT count(*)::int AS count FROM pg_stat_activity
      WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    return row.count === waiters;
  });
}
