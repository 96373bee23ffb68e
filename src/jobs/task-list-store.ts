import { Prisma, type Sql } from '../db/database.ts';
import type { JobState } from '../protocol/job.ts';
import type { TaskPlace } from './array.ts';

export type TaskRow = {
  index: number;
  job: string | null;
  state: JobState;
  reason: string | null;
  message: string | null;
  values: TaskPlace['values'];
  chargedMicroUsd: number;
  startedAt: Date | null;
  finishedAt: Date | null;
};

export type TaskFilter = { arrayId: string; from: number; states?: readonly JobState[] | undefined; limit: number };

/** Tasks of an array in the order of their places. Those without a row are the last, and wait; others without one were cancelled with it. */
export async function listTasks(sql: Sql, { arrayId, from, states, limit }: TaskFilter): Promise<TaskRow[]> {
  const wanted = states === undefined ? Prisma.empty : Prisma.sql`WHERE state = ANY(${[...states]}::text[])`;
  return sql.$queryRaw<TaskRow[]>`
    WITH listed AS (
      SELECT * FROM (
        SELECT index, task.id AS job, task.reason, task.message, coalesce(task.charged_micro_usd, 0)::float8 AS "chargedMicroUsd",
          task.started_at AS "startedAt", task.finished_at AS "finishedAt",
          coalesce(task.state::text, CASE WHEN index >= a.tasks - a.unmade THEN 'queued' ELSE 'cancelled' END) AS state
        FROM job_array a CROSS JOIN generate_series(${from}::int, a.tasks - 1) AS index
        LEFT JOIN job task ON task.array_id = a.job_id AND task.array_index = index
        WHERE a.job_id = ${arrayId}
      ) task ${wanted} ORDER BY index LIMIT ${limit}
    ), whole AS MATERIALIZED (
      SELECT spec #> '{array,values}' AS entries FROM job WHERE id = ${arrayId}
    )
    SELECT listed.*, entries -> index AS values FROM listed CROSS JOIN whole ORDER BY index`;
}

/** Whose array it is, and how many tasks it has; undefined where there is no such job, 0 where it is no array. */
export async function findArray(sql: Sql, jobId: string): Promise<{ tenantId: string; tasks: number } | undefined> {
  const [array] = await sql.$queryRaw<{ tenantId: string; tasks: number }[]>`
    SELECT job.tenant_id AS "tenantId", coalesce(tasks, 0) AS tasks
    FROM job LEFT JOIN job_array ON job_id = id WHERE id = ${jobId}`;
  return array;
}
