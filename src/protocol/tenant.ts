import { Type, type Static } from 'typebox';
import { windowPattern } from '../core/time.ts';
import { closed, Duration, Id, Nullable, Time } from './common.ts';

export const Tenant = Type.Object(
  { id: Id('tenant'), name: Type.String(), createdAt: Time() },
  { ...closed, title: 'Tenant' },
);
export type Tenant = Static<typeof Tenant>;

export const NewTenant = Type.Object(
  {
    name: Type.String({
      minLength: 1,
      maxLength: 128,
      pattern: '^[A-Za-z0-9][A-Za-z0-9 ._-]*$',
      description: 'ASCII letters, digits, spaces, dots, dashes and underscores, with a letter or digit first.',
    }),
  },
  { ...closed, title: 'NewTenant', examples: [{ name: 'vision' }] },
);

export const roles = ['viewer', 'member', 'admin', 'operator'] as const;
export type Role = (typeof roles)[number];
export const RoleSchema = Type.Enum([...roles], { title: 'Role' });

export const NewKey = Type.Object(
  { role: Type.Optional(RoleSchema), label: Type.Optional(Type.String({ maxLength: 128 })) },
  { ...closed, title: 'NewKey', examples: [{ role: 'member', label: 'CI' }] },
);

export const Key = Type.Object(
  {
    id: Id('key'),
    role: RoleSchema,
    label: Nullable(Type.String()),
    createdAt: Time(),
    revokedAt: Nullable(Time()),
  },
  { ...closed, title: 'Key' },
);

export const CreatedKey = Type.Object(
  { id: Id('key'), role: RoleSchema, key: Type.String({ description: 'Shown this once.' }) },
  { ...closed, title: 'CreatedKey' },
);

export const SecretValue = Type.Object(
  { value: Type.String({ minLength: 1, maxLength: 65_536 }) },
  { ...closed, title: 'SecretValue', examples: [{ value: 'hf_…' }] },
);

export const Secret = Type.Object(
  { name: Type.String(), createdAt: Time(), updatedAt: Time() },
  { ...closed, title: 'Secret' },
);

/** JSON can hold numbers that neither the ledger nor PostgreSQL can count. */
const maxCount = 1e9;
const countRange = { minimum: 0, maximum: maxCount };
const usdRange = { minimum: 0, maximum: 1e9 };

const windowOfPolicy = `^${windowPattern}$`;

const PerKind = (description: string) => Type.Record(Type.String(), Type.Integer(countRange), { description });

/** Every field is optional; what is left out does not limit. */
export const Policy = Type.Object(
  {
    weight: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: 1e6,
        description: 'Share of the pool when all compete. Left out: 1.',
      }),
    ),
    parent: Type.Optional(
      Id(
        'tenant',
        'The organisation above this team. Its caps, quotas, budget and share cap hold for all its teams together, its providers, regions and priorityCeiling for each; what one team leaves of the guarantee goes to the others first. Left out: none above it.',
      ),
    ),
    guaranteed: Type.Optional(
      PerKind(
        'Accelerators by kind that this tenant gets before others, and gets back from them by preemption. Left out, also of one kind: nothing is guaranteed, and it shares what is free.',
      ),
    ),
    borrowing: Type.Optional(
      PerKind('How far above the guarantee it may go, by kind. Left out, also of one kind: as far as there is.'),
    ),
    lending: Type.Optional(
      PerKind(
        'How much of the guarantee others may use while it is idle, by kind; the rest stays free. Left out, also of one kind: all of it.',
      ),
    ),
    caps: Type.Optional(
      Type.Object(
        {
          runningJobs: Type.Optional(
            Type.Integer({
              ...countRange,
              description: 'At once: provisioning, running and stopping. Left out: any number.',
            }),
          ),
          queuedJobs: Type.Optional(
            Type.Integer({
              ...countRange,
              description: 'Of this tenant alone, without teams below it. Left out: any number.',
            }),
          ),
          accelerators: Type.Optional(
            PerKind('At once, by kind; cpu counts cores. Left out, also of one kind: as many as there are.'),
          ),
          computePflops: Type.Optional(
            Type.Number({
              minimum: 0,
              maximum: maxCount,
              description: 'At once, in PFLOP/s at the peak dense bf16 rate. Left out: any amount.',
            }),
          ),
        },
        { ...closed, description: 'Left out: no caps.' },
      ),
    ),
    shareCap: Type.Optional(
      Type.Object(
        {
          share: Type.Number({
            exclusiveMinimum: 0,
            maximum: 1,
            description:
              'Of what the pool has given in the window, or of a tenth of what it could have given, if that is more. Where no provider says how much it has, who is alone may start.',
          }),
          window: Type.Optional(
            Type.String({
              pattern: windowOfPolicy,
              default: '30d',
              description: 'A duration up to now. Left out: 30d.',
            }),
          ),
          mode: Type.Optional(
            Type.Enum(['soft', 'hard'], {
              default: 'soft',
              description: 'hard: never above it; soft: not while another tenant waits. Left out: soft.',
            }),
          ),
        },
        { ...closed, description: 'Looked at when a job is to start. Left out: any share.' },
      ),
    ),
    budget: Type.Optional(
      Type.Object(
        {
          monthlyUsd: Type.Optional(
            Type.Number({ ...usdRange, description: 'By calendar month of UTC. Left out: any amount.' }),
          ),
          totalUsd: Type.Optional(Type.Number({ ...usdRange, description: 'Of all time. Left out: any amount.' })),
        },
        { ...closed, description: 'A job starts only if it can reserve what it may cost. Left out: no budget.' },
      ),
    ),
    priorityCeiling: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 100,
        description: 'The highest priority its jobs may have; those that wait are bound by it too. Left out: 100.',
      }),
    ),
    providers: Type.Optional(
      Type.Array(Type.String(), { minItems: 1, description: 'Where its jobs may run. Left out: all.' }),
    ),
    regions: Type.Optional(
      Type.Array(Type.String(), {
        minItems: 1,
        description:
          'Where its jobs may run, and where its artifacts and the logs of its ended jobs lie: in the installation’s bucket where that is in one of these, else in the first of its other buckets that is. Rows of jobs, and log lines until an hour after the end, lie in the database of all tenants. Left out: all.',
      }),
    ),
  },
  {
    ...closed,
    title: 'Policy',
    examples: [
      {
        weight: 2,
        guaranteed: { 'A100-80GB': 8 },
        caps: { runningJobs: 20, accelerators: { H100: 16, cpu: 32 } },
        shareCap: { share: 0.35, window: '30d', mode: 'soft' },
        budget: { monthlyUsd: 5000 },
      },
    ],
  },
);
export type Policy = Static<typeof Policy>;

export const PoolPolicy = Type.Object(
  {
    hhiCeiling: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: 1,
        description:
          'Over 30 days, measured as shares are; a start that would raise the HHI above it waits. Left out: none.',
      }),
    ),
    largestShareCeiling: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: 1,
        description:
          'Over 30 days, of any tenant alone; a start that would raise its share above it waits. Left out: none.',
      }),
    ),
    halfLife: Type.Optional(
      Type.String({
        pattern: windowOfPolicy,
        description: 'Of past use in the fair order, which is known to the hour. Left out: 7d.',
      }),
    ),
    minRuntime: Type.Optional(
      Duration('How long a job runs before it may be preempted for guaranteed capacity. Left out: 1m.'),
    ),
    preemptLowerPriority: Type.Optional(
      Type.Boolean({
        description:
          'Whether a tenant’s waiting job may preempt the same tenant’s running jobs of lower priority. Left out: false.',
      }),
    ),
    tenantsSeeOthers: Type.Optional(
      Type.Boolean({ description: 'Whether tenants see each other’s shares, without names. Left out: false.' }),
    ),
  },
  { ...closed, title: 'PoolPolicy', examples: [{ hhiCeiling: 0.5, halfLife: '7d', tenantsSeeOthers: true }] },
);
export type PoolPolicy = Static<typeof PoolPolicy>;

export const AuditEntry = Type.Object(
  {
    id: Id('audit'),
    at: Time(),
    actor: Type.String({ description: 'The key that did it, oidc: and the person who did, or weir itself.' }),
    tenant: Nullable(Id('tenant')),
    action: Type.String(),
    target: Type.String(),
    before: Type.Unknown(),
    after: Type.Unknown(),
  },
  { ...closed, title: 'AuditEntry' },
);
