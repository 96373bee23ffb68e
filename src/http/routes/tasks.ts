import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { notFound, WeirError } from '../../core/errors.ts';
import { toUsd } from '../../core/money.ts';
import type { Database } from '../../db/database.ts';
import { findArray, listTasks, type TaskRow } from '../../jobs/task-list-store.ts';
import { Id, List, Page } from '../../protocol/common.ts';
import { JobStateSchema } from '../../protocol/job.ts';
import { Task } from '../../protocol/task.ts';
import { sees, type Caller } from '../caller.ts';
import { pageOf, seqAfter } from '../page.ts';

const ArrayParams = Type.Object({ job: Id('job') });
const TaskParams = Type.Object({ job: Id('job'), index: Type.Integer({ minimum: 0 }) });
const TaskQuery = Type.Object({ ...Page.properties, state: Type.Optional(JobStateSchema) });

const operations = {
  listTasks: {
    operationId: 'listTasks',
    tags: ['Jobs'],
    summary: 'All tasks of an array in short, in the order of their places',
    params: ArrayParams,
    querystring: TaskQuery,
    response: { 200: List(Task, 'TaskList') },
  },
  getTask: {
    operationId: 'getTask',
    tags: ['Jobs'],
    summary: 'One task of an array in short, by its place',
    params: TaskParams,
    response: { 200: Task },
  },
};

export function taskRoutes({ db }: { db: Database }): FastifyPluginAsyncTypebox {
  /** How many tasks it has. */
  const requireArray = async (caller: Caller, jobId: string): Promise<number> => {
    const array = await findArray(db.client, jobId);
    if (array === undefined || !sees(caller, array.tenantId)) throw notFound('job', jobId);
    if (array.tasks === 0) throw new WeirError('not-found', `${jobId} is no array: it has no tasks.`);
    return array.tasks;
  };

  return async (app) => {
    app.get(
      '/v1/jobs/:job/tasks',
      { config: { access: 'viewer' }, schema: operations.listTasks },
      async ({ caller, params, query: { limit, cursor, state } }) => {
        const tasks = await requireArray(caller, params.job);
        const page = pageOf(limit);
        const from = Math.min(seqAfter(cursor) + 1, tasks);
        const states = state === undefined ? undefined : [state];
        const rows = await listTasks(db.client, { arrayId: params.job, from, states, limit: page.take });
        return page.answer(rows.map(taskView), ({ index }) => String(index));
      },
    );
    app.get(
      '/v1/jobs/:job/tasks/:index',
      { config: { access: 'viewer' }, schema: operations.getTask },
      async ({ caller, params: { job, index } }) => {
        const tasks = await requireArray(caller, job);
        const [row] = index < tasks ? await listTasks(db.client, { arrayId: job, from: index, limit: 1 }) : [];
        if (row === undefined) throw new WeirError('not-found', `${job} has ${tasks} tasks, from 0 to ${tasks - 1}.`);
        return taskView(row);
      },
    );
  };
}

function taskView({ chargedMicroUsd, startedAt, finishedAt, ...row }: TaskRow): Task {
  return {
    ...row,
    costUsd: toUsd(chargedMicroUsd),
    startedAt: startedAt?.toISOString() ?? null,
    finishedAt: finishedAt?.toISOString() ?? null,
  };
}
