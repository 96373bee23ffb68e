import { Type, type Static } from 'typebox';
import { closed, Id, Nullable, Time, Usd } from './common.ts';
import { JobStateSchema } from './job.ts';

export const Task = Type.Object(
  {
    index: Type.Integer({ description: 'Its place in the array, from 0: WEIR_ARRAY_INDEX.' }),
    job: Nullable(Id('job', 'The job that it is. Null until it may be next, or where it was cancelled before.')),
    state: JobStateSchema,
    reason: Nullable(Type.String()),
    message: Nullable(Type.String()),
    values: Nullable(
      Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()]), {
        description: 'Its own entry of the array’s values.',
      }),
    ),
    costUsd: Usd('What is charged so far.'),
    startedAt: Nullable(Time()),
    finishedAt: Nullable(Time()),
  },
  { ...closed, title: 'Task', description: 'One task of an array, in short.' },
);
export type Task = Static<typeof Task>;
