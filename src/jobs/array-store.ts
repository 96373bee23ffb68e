import type { Sql } from '../db/database.ts';
import type { JobSpec } from '../protocol/job-spec.ts';
import { taskSpec, type TaskEnds, type TaskPlace } from './array.ts';
import type { EndState } from './state.ts';

export type { TaskEnds } from './array.ts';

export function hasAllEnded({ tasks, succeeded, failed, cancelled }: TaskEnds): boolean {
  return succeeded + failed + cancelled === tasks;
}

/**
 * Counts a task's end. Whoever touches both an array's counts and its job's row takes the counts first, so that all wait in one
 * order: the task, the counts of its array, the array's row.
 */
export async function countEnd(tx: Sql, arrayId: string, end: EndState): Promise<TaskEnds> {
  return tx.jobArray.update({ where: { jobId: arrayId }, data: { [end]: { increment: 1 } } });
}

/** The tasks without a row will get none: they count as cancelled. Undefined where the job is no array. */
export async function dropUnmade(tx: Sql, jobId: string): Promise<TaskEnds | undefined> {
  const [ends] = await tx.$queryRaw<TaskEnds[]>`
    UPDATE job_array SET cancelled = cancelled + unmade, unmade = 0 WHERE job_id = ${jobId}
    RETURNING tasks, unmade, succeeded, failed, cancelled`;
  return ends;
}

/** What a tenant has in its queue: jobs, and each task that waits in an array. */
export async function countWaiting(sql: Sql, tenantId: string, except: string): Promise<number> {
  const [row] = await sql.$queryRaw<[{ count: number }]>`
    SELECT ((SELECT count(*) FROM job WHERE tenant_id = ${tenantId} AND state = 'queued' AND id <> ${except}
        AND NOT (held AND EXISTS (SELECT FROM job_array WHERE job_id = job.id)))
      + (SELECT coalesce(sum(unmade), 0) FROM job_array WHERE tenant_id = ${tenantId} AND unmade > 0 AND job_id <> ${except})
    )::float8 AS count`;
  return row.count;
}

export type OpenArray = { arrayId: string; room: number };

/** Arrays that have tasks without a row and fewer than `ahead` in the queue, and for how many there is room. */
export async function listOpenArrays(sql: Sql, ahead: number, limit: number): Promise<OpenArray[]> {
  return sql.$queryRaw<OpenArray[]>`
    SELECT a.job_id AS "arrayId", (${ahead} - waiting.count)::int AS room
    FROM job_array a JOIN job ON job.id = a.job_id
    CROSS JOIN LATERAL (SELECT count(*) FROM job WHERE array_id = a.job_id AND state = 'queued') waiting
    WHERE a.unmade > 0 AND waiting.count < ${ahead} AND job.state IN ('queued', 'provisioning', 'running')
      AND NOT EXISTS (SELECT FROM job_dependency d WHERE d.job_id = a.job_id AND d.state <> 'met')
    LIMIT ${limit}`;
}

/** Takes the next tasks of an array, to be made by this transaction; none where another is at it. */
export async function takeTasks(
  tx: Sql,
  { arrayId, room }: OpenArray,
): Promise<{ firstIndex: number; count: number } | undefined> {
  const [row] = await tx.$queryRaw<{ tasks: number; unmade: number }[]>`
    SELECT tasks, unmade FROM job_array WHERE job_id = ${arrayId} AND unmade > 0 FOR NO KEY UPDATE SKIP LOCKED`;
  if (row === undefined) return undefined;
  const count = Math.min(room, row.unmade);
  await tx.jobArray.update({ where: { jobId: arrayId }, data: { unmade: { decrement: count } } });
  return { firstIndex: row.tasks - row.unmade, count };
}

/** Tasks that are still to be stopped, of arrays that are. */
export async function listTasksToStop(sql: Sql, limit: number): Promise<string[]> {
  const rows = await sql.$queryRaw<{ id: string }[]>`
    SELECT task.id FROM job JOIN job_array a ON a.job_id = job.id JOIN job task ON task.array_id = job.id
    WHERE job.state = 'stopping' AND task.state IN ('queued', 'provisioning', 'running') LIMIT ${limit}`;
  return rows.map(({ id }) => id);
}

export type TaskKey = { arrayId: string; arrayIndex: number };

/** What tasks run, by array and place: their arrays' specs, each with its own values. */
export async function readTaskSpecs(sql: Sql, tasks: TaskKey[]): Promise<(task: TaskKey) => JobSpec | undefined> {
  if (tasks.length === 0) return () => undefined;
  const arrayIds = tasks.map(({ arrayId }) => arrayId);
  const indexes = tasks.map(({ arrayIndex }) => arrayIndex);
  // Read once for all tasks of an array, and its values unpacked once: both may be megabytes.
  const arrays = await sql.$queryRaw<{ id: string; spec: JobSpec; tasks: number }[]>`
    SELECT id, spec - 'array' AS spec, tasks FROM job JOIN job_array ON job_id = id WHERE id = ANY(${arrayIds})`;
  const entries = await sql.$queryRaw<{ arrayId: string; index: number; values: TaskPlace['values'] }[]>`
    WITH whole AS MATERIALIZED (
      SELECT id, spec #> '{array,values}' AS entries FROM job WHERE id = ANY(${arrayIds})
    )
    SELECT whole.id AS "arrayId", index, entries -> index AS values
    FROM unnest(${arrayIds}::text[], ${indexes}::int[]) AS task(array_id, index) JOIN whole ON whole.id = task.array_id`;
  const key = (arrayId: string, index: number) => `${arrayId} ${index}`;
  const arrayOf = new Map(arrays.map((array) => [array.id, array]));
  const valuesOf = new Map(entries.map(({ arrayId, index, values }) => [key(arrayId, index), values]));
  return ({ arrayId, arrayIndex }) => {
    const array = arrayOf.get(arrayId);
    const values = valuesOf.get(key(arrayId, arrayIndex)) ?? null;
    return array && taskSpec(array.spec, { index: arrayIndex, tasks: array.tasks, values });
  };
}
