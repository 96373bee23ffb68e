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
    account: Type.String(),
    kind: Type.Enum([...statementKinds]),
    amountUsd: Usd(),
    balanceUsd: Usd('Of the account, after this line.'),
    note: Type.String(),
  },
  { ...closed, title: 'StatementLine' },
);
export type StatementLine = Static<typeof StatementLine>;

export const Usage = Type.Object(
  {
    unit: Type.Literal(computeUnit),
    items: Type.Array(Type.Object({ from: Time(), to: Time(), ...amounts }, closed)),
  },
  { ...closed, title: 'Usage' },
);
export type Usage = Static<typeof Usage>;
