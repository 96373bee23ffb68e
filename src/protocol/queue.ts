import { Type, type Static } from 'typebox';
import { closed, Id, Nullable, Time } from './common.ts';
import { JobSummary } from './job.ts';

export const QueuedTenant = Type.Object(
  {
    tenant: Type.Object({ id: Id('tenant'), name: Type.String() }, closed),
    queued: Type.Integer({ description: 'Jobs, those that wait for other jobs among them.' }),
    turn: Nullable(
      Type.Integer({ description: 'Whose next job is looked at first, from 1; of all tenants that wait.' }),
    ),
    isGuaranteed: Nullable(Type.Boolean({ description: 'Its next job is within its guarantee.' })),
    usePerWeight: Nullable(
      Type.Number({ description: 'Decayed use by weight, in PFLOP/s-days: else, the lowest goes first.' }),
    ),
  },
  { ...closed, title: 'QueuedTenant' },
);

export const Queue = Type.Object(
  {
    dispatchedAt: Nullable(Time('The round of dispatch that this order is of.')),
    tenants: Type.Array(QueuedTenant),
    items: Type.Array(
      Type.Object(
        {
          job: JobSummary,
          because: Nullable(Type.String({ description: 'Why it is ahead of the next; null on the last.' })),
        },
        { ...closed, title: 'QueuedJob' },
      ),
    ),
    nextCursor: Nullable(Type.String({ description: 'With ?tenant=, pass as ?cursor= for the next page.' })),
  },
  { ...closed, title: 'Queue' },
);
export type Queue = Static<typeof Queue>;
