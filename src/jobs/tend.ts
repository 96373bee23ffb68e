import { newId } from '../core/ids.ts';
import type { Clock } from '../core/time.ts';
import type { Database, Sql } from '../db/database.ts';
import { dropUnmade, listOpenArrays, listTasksToStop, takeTasks, type OpenArray } from './array-store.ts';
import type { Cancel } from './cancel.ts';
import { closeDependencies, listBroken, listUnmet } from './dependency-store.ts';
import { move } from './move-store.ts';
import { insertTasks, lockJob } from './store.ts';

export type TendDeps = {
  db: Database;
  now: Clock;
  cancel: Cancel;
  onError: (error: unknown) => void;
};

/** So many tasks of each array stand in the queue: as many as a cycle looks at of a tenant. */
const ahead = 50;
/** What one round does of each kind, so that no cycle waits long for it. */
const perRound = 200;

/**
 * Does what jobs that stand in no queue need before a cycle: the next tasks of arrays become jobs, tasks of cancelled arrays
 * stop, and jobs whose dependencies can't be met any more end. Each step is found in the rows, so it may be left and repeated
 * anywhere. True where there may be more to do after the cycle.
 */
export function createTend({ db, now, cancel, onError }: TendDeps) {
  /** One that can't be helped must not keep the others, and the cycle, from it. */
  const each = async <T>(items: T[], step: (item: T) => Promise<void>): Promise<number> => {
    let done = 0;
    for (const item of items) await step(item).then(() => (done += 1), onError);
    return done;
  };
  return async (): Promise<boolean> => {
    const ended = await each(await listBroken(db.client, perRound), (jobId) =>
      db.transaction((tx) => failBroken(tx, jobId, now())),
    );
    const stopped = await each(await listTasksToStop(db.client, perRound), (task) => cancel(task, 'its-array'));
    const unfolded = await each(await listOpenArrays(db.client, ahead, perRound), (array) =>
      db.transaction((tx) => makeTasks(tx, array, now())),
    );
    return ended + stopped + unfolded > 0;
  };
}

async function makeTasks(tx: Sql, array: OpenArray, at: Date): Promise<void> {
  const taken = await takeTasks(tx, array);
  if (taken === undefined) return;
  const ids = Array.from({ length: taken.count }, () => newId('job')).toSorted();
  await insertTasks(tx, { arrayId: array.arrayId, ids, firstIndex: taken.firstIndex, at });
}

/** Ends a job that waits for what can't come any more. */
async function failBroken(tx: Sql, jobId: string, at: Date): Promise<void> {
  await dropUnmade(tx, jobId);
  const job = await lockJob(tx, jobId);
  const [unmet] = await listUnmet(tx, [jobId]);
  if (job?.state === 'queued' && unmet !== undefined) {
    const message = `It waited for the ${unmet.condition} of ${unmet.job} (${unmet.name}), which ${unmet.state === 'cancelled' ? 'was cancelled' : unmet.state}.`;
    const change = { jobId, from: 'queued', to: 'failed', at, attempt: null, reason: 'dependency-failed' } as const;
    await move(tx, { ...change, message, set: { finishedAt: at } });
  }
  await closeDependencies(tx, jobId);
}
