import { Type, type Static } from 'typebox';
import { closed, Id, Nullable, Time, Usd } from './common.ts';

/** PFLOP/s-days at the accelerator's peak dense bf16 rate (fp16 where it has no bf16, fp32 for CPU cores). */
export const computeUnit = 'PFLOP/s-days';

const amounts = { compute: Type.Number(), acceleratorHours: Type.Number(), costUsd: Usd() };

/** Why machine time came to nothing: before the command ran, after it had ended, or lost since the last checkpoint. */
export const wasteCauses = ['provisioning', 'idle', 'failed', 'preempted'] as const;

const Amounts = Type.Object(amounts, { ...closed, title: 'Amounts' });

const Wasted = Type.Object(
  { provisioning: Amounts, idle: Amounts, failed: Amounts, preempted: Amounts },
  {
    ...closed,
    title: 'Wasted',
    description:
      'Machine time that came to nothing, of attempts that have ended, in the whole hours of the window: before the command ran, after it had ended, and since the last checkpoint where it failed or was preempted.',
  },
);
export type Wasted = Static<typeof Wasted>;

const Group = Type.Object(
  {
    value: Nullable(Type.String({ description: 'Null: what has no such label.' })),
    name: Nullable(Type.String({ description: 'Of the tenant, where the group is one.' })),
    ...amounts,
    share: Type.Number({ description: 'Of all compute.' }),
  },
  { ...closed, title: 'SharesGroup' },
);

const SharesBucket = Type.Object(
  {
    from: Time(),
    to: Time(),
    ...amounts,
    hhi: Nullable(Type.Number()),
    effectiveTenants: Nullable(Type.Number()),
    largestShare: Nullable(Type.Number()),
    groups: Type.Array(
      Type.Object(
        { value: Type.String(), ...amounts, share: Type.Number() },
        { ...closed, title: 'SharesBucketGroup' },
      ),
      { description: 'The twenty largest of the window; the rest of the total is the others’. Empty without groupBy.' },
    ),
  },
  { ...closed, title: 'SharesBucket' },
);
export type SharesBucket = Static<typeof SharesBucket>;

const sharesFields = {
  window: Type.Object({ from: Time(), to: Time() }, closed),
  unit: Type.Literal(computeUnit),
  total: Type.Object(amounts, closed),
  tenants: Type.Array(
    Type.Object(
      {
        tenant: Nullable(Type.Object({ id: Id('tenant'), name: Type.String() }, closed)),
        ...amounts,
        share: Type.Number(),
        shareCap: Nullable(Type.Number()),
      },
      closed,
    ),
  ),
  concentration: Type.Object(
    {
      hhi: Nullable(Type.Number({ description: 'Σ share², from 1/n to 1; null where nothing was used.' })),
      effectiveTenants: Nullable(Type.Number({ description: '1 / hhi' })),
      gini: Nullable(Type.Number()),
      largestShare: Nullable(Type.Number()),
      lorenz: Nullable(
        Type.Array(
          Type.Object(
            {
              tenants: Type.Number({ description: 'Part of the tenants, those that used least first.' }),
              use: Type.Number({ description: 'The part of all compute that is theirs.' }),
            },
            { ...closed, title: 'LorenzPoint' },
          ),
          { description: 'From (0, 0) to (1, 1). Null for who may not see the others’ shares.' },
        ),
      ),
    },
    closed,
  ),
  wasted: Wasted,
};

export const Shares = Type.Object(
  {
    ...sharesFields,
    groups: Type.Optional(
      Type.Array(Group, {
        description: 'With groupBy: at most 1000, largest first. Of its own use, where a tenant asks.',
      }),
    ),
    series: Type.Optional(Type.Array(SharesBucket, { description: 'With series: whole hours or days of UTC.' })),
  },
  { ...closed, title: 'Shares' },
);
export type Shares = Static<typeof Shares>;

const Wait = Type.Object(
  {
    jobs: Type.Integer({ description: 'That started.' }),
    p50Seconds: Nullable(
      Type.Number({ description: 'Half of them waited no longer, from submission to the first start.' }),
    ),
    p90Seconds: Nullable(Type.Number({ description: 'Nine in ten waited no longer.' })),
  },
  { ...closed, title: 'Wait' },
);

export const ShareReport = Type.Object(
  {
    month: Type.String(),
    isComplete: Type.Boolean({ description: 'False while the month passes.' }),
    ...sharesFields,
    tenants: Type.Array(
      Type.Object(
        {
          ...sharesFields.tenants.items.properties,
          cappedShare: Nullable(
            Type.Number({
              description:
                'What shareCap holds: the share of the tenant with all below it. Null where there is no cap.',
            }),
          ),
          wasted: Amounts,
          wait: Wait,
        },
        closed,
      ),
    ),
    tenantCount: Type.Integer({ description: 'Of all tenants, also of those whose rows are not shown.' }),
    wait: Wait,
    ceilings: Type.Object(
      { hhi: Nullable(Type.Number()), largestShare: Nullable(Type.Number()) },
      { ...closed, description: 'Of the pool’s policy as it is now; null where there is none.' },
    ),
    notices: Type.Array(
      Type.Object(
        { at: Time(), tenant: Type.Object({ id: Id('tenant'), name: Type.String() }, closed), note: Type.String() },
        closed,
      ),
      { description: 'Such as breaches of a ceiling. A tenant sees its own.' },
    ),
  },
  { ...closed, title: 'ShareReport' },
);
export type ShareReport = Static<typeof ShareReport>;

export const statementKinds = ['reserve', 'charge', 'release', 'refund', 'adjust'] as const;

/** Ascending, or with a dash descending. */
export const statementSorts = ['at', '-at'] as const;
export type StatementSort = (typeof statementSorts)[number];

export const StatementLine = Type.Object(
  {
    id: Id('entry'),
    at: Time(),
    job: Nullable(Id('job')),
    account: Type.String({ description: '`available`, `reserved` or `spent`: what the tenant owes.' }),
    kind: Type.Enum([...statementKinds]),
    amountUsd: Usd(),
    balanceUsd: Usd('Of the account, after this line.'),
    note: Type.String(),
  },
  { ...closed, title: 'StatementLine' },
);
export type StatementLine = Static<typeof StatementLine>;

export const NewAdjustment = Type.Object(
  {
    amountUsd: Type.Number({
      minimum: -1e9,
      maximum: 1e9,
      description: 'Above zero the tenant owes more, below zero less: a credit. Not zero; exact to a millionth.',
    }),
    reason: Type.String({ minLength: 1, maxLength: 1000, description: 'The note of the lines on the statement.' }),
    job: Type.Optional(
      Id('job', 'The job it is about. Left out: none. The job’s own cost stays what its machines cost.'),
    ),
  },
  {
    ...closed,
    title: 'NewAdjustment',
    examples: [{ amountUsd: -12.5, reason: 'Credit for the outage of 3 November' }],
  },
);
export type NewAdjustment = Static<typeof NewAdjustment>;

export const Adjustment = Type.Object(
  {
    id: Id('entry', 'Of its line on the account `spent`.'),
    tenant: Id('tenant'),
    at: Time(),
    job: Nullable(Id('job')),
    amountUsd: Usd(),
    reason: Type.String(),
    spentUsd: Usd('What the tenant owes after it.'),
  },
  { ...closed, title: 'Adjustment' },
);
export type Adjustment = Static<typeof Adjustment>;

export const Usage = Type.Object(
  {
    unit: Type.Literal(computeUnit),
    items: Type.Array(Type.Object({ from: Time(), to: Time(), ...amounts }, closed)),
  },
  { ...closed, title: 'Usage' },
);
export type Usage = Static<typeof Usage>;
