import { Type, type Static } from 'typebox';
import { closed, Id, Nullable, Time, Usd } from './common.ts';

export const instanceStates = ['requested', 'booting', 'ready', 'gone'] as const;

export const Instance = Type.Object(
  {
    id: Id('instance'),
    name: Type.String({ description: 'As the provider shows it.' }),
    state: Type.Enum([...instanceStates]),
    tenant: Id('tenant'),
    job: Id('job'),
    attempt: Type.Integer(),
    node: Type.Integer({ description: 'Which machine of the attempt, from 0.' }),
    provider: Type.String(),
    zone: Type.String(),
    machineType: Type.String(),
    market: Type.String(),
    accelerators: Type.Object({ kind: Type.String(), count: Type.Integer() }, closed),
    hourlyUsd: Usd('Of this machine alone.'),
    requestedAt: Time(),
    createdAt: Nullable(Time('Since when it is paid.')),
    readyAt: Nullable(Time()),
    goneAt: Nullable(Time()),
    heartbeatAt: Nullable(Time()),
    ageSeconds: Type.Number({ description: 'From its request until it was gone, or until now.' }),
    costUsd: Usd('Until now.'),
    residualUsd: Usd('Of it, since its job had left it: the operator’s, and not in the cost of the job.'),
  },
  { ...closed, title: 'Instance' },
);
export type Instance = Static<typeof Instance>;

const Resources = Type.Object(
  {
    cpus: Type.Number(),
    memoryBytes: Type.Number(),
    diskBytes: Type.Number(),
    accelerators: Type.Object({ kind: Type.String(), count: Type.Integer() }, closed),
  },
  { ...closed, title: 'PoolResources' },
);

export const ProviderCapacity = Type.Object(
  {
    provider: Type.String(),
    whole: Nullable(Resources),
    free: Nullable(Resources),
    held: Type.Array(
      Type.Object(
        { kind: Type.String(), count: Type.Integer({ description: 'Accelerators, or cores of kind cpu.' }) },
        closed,
      ),
      { description: 'What attempts hold, by kind.' },
    ),
    instances: Type.Integer({ description: 'That are not gone.' }),
  },
  {
    ...closed,
    title: 'ProviderCapacity',
    description:
      'Whole and free are null where a provider does not run out by itself; its quotas may say what it gives.',
  },
);

export const SeenShortage = Type.Object(
  {
    provider: Type.String(),
    region: Nullable(Type.String()),
    zone: Nullable(Type.String()),
    machineType: Nullable(Type.String()),
    kind: Nullable(Type.String()),
    market: Nullable(Type.String()),
    cause: Type.Enum(['stockout', 'quota', 'refused'], {
      description:
        'It had none; a limit of our account was reached; it refuses us until an operator changes something.',
    }),
    message: Type.String({ description: 'Whose move it is, and what would help.' }),
    at: Time('When it was last seen.'),
    askedAgainAt: Time('Nobody asks for such a machine before.'),
  },
  { ...closed, title: 'SeenShortage', description: 'For all that is like what it names; null: whatever it is.' },
);

/** Of a limit of the operator's account with a provider. */
const quotaFacts = {
  metric: Type.String({ description: 'As the provider names it.' }),
  region: Nullable(Type.String({ description: 'Null: over all regions.' })),
  unit: Type.Enum(['GPUs', 'cores']),
  limit: Type.Number(),
  used: Type.Number({ description: 'By weir’s machines, those being made included, and by others of the account.' }),
  raiseAt: Type.String({ description: 'Where an operator asks for more.' }),
} as const;

export const ProviderQuota = Type.Object(
  {
    provider: Type.String(),
    ...quotaFacts,
    kind: Nullable(Type.String({ description: 'Null: machines of several kinds count.' })),
    markets: Type.Array(Type.Enum(['spot', 'on-demand']), { description: 'Whose machines count.' }),
    usedByOthers: Type.Number({ description: 'Of it, not by weir.' }),
    readAt: Time('When the provider said so.'),
  },
  { ...closed, title: 'ProviderQuota', description: 'A limit of the operator’s account with a provider.' },
);

/** Null in its place where none is known. */
export const TightestQuota = Type.Object(
  { ...quotaFacts, free: Type.Number({ description: 'Of limit; at least 0.' }) },
  {
    ...closed,
    title: 'TightestQuota',
    description:
      'Of the limits of the operator’s account that an offer counts against, the one that leaves least room for more such machines.',
  },
);

export const UnknownQuota = Type.Object(
  {
    provider: Type.String(),
    region: Nullable(Type.String()),
    kind: Nullable(Type.String()),
    market: Nullable(Type.String()),
    message: Type.String({ description: 'Why, and what would help.' }),
  },
  { ...closed, title: 'UnknownQuota', description: 'Machines of which the limit is not known; null: whatever it is.' },
);

export const PoolCapacity = Type.Object(
  {
    providers: Type.Array(ProviderCapacity),
    quotas: Type.Array(ProviderQuota, { description: 'Limits of the operator’s accounts, as far as they are known.' }),
    unknownQuotas: Type.Array(UnknownQuota, {
      description: 'Of these machines a limit is known only once it was reached.',
    }),
    shortages: Type.Array(SeenShortage, { description: 'What could not be had lately, the latest first.' }),
  },
  { ...closed, title: 'PoolCapacity' },
);
export type PoolCapacity = Static<typeof PoolCapacity>;
