import { Type, type Static } from 'typebox';
import { closed, Id, Nullable, Time, Usd } from './common.ts';

/** PFLOP/s-days at the accelerator's peak dense bf16 rate (fp16 where it has no bf16, fp32 for CPU cores). */
export const computeUnit = 'PFLOP/s-days';

const amounts = { compute: Type.Number(), acceleratorHours: Type.Number(), costUsd: Usd() };

export const Shares = Type.Object(
  {
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
      },
      closed,
    ),
  },
  { ...closed, title: 'Shares' },
);
export type Shares = Static<typeof Shares>;

export const statementKinds = ['reserve', 'charge', 'release', 'refund', 'adjust'] as const;

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
