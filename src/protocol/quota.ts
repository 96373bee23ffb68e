import { Type, type Static } from 'typebox';
import { closed, Nullable, Usd } from './common.ts';

const Limit = (description: string) => Nullable(Type.Number({ description: `${description} Null: no limit.` }));

export const QuotaUse = Type.Object(
  {
    kind: Type.String({ description: 'Of accelerator; cpu counts cores.' }),
    held: Type.Integer({ description: 'Now, with all teams below it.' }),
    guaranteed: Type.Integer(),
    borrowed: Type.Integer({ description: 'Of what is held, above the guarantee.' }),
    lent: Type.Number({
      description: 'Of the guarantee, what others hold now: what can’t be free, since the pool has no more of it.',
    }),
    borrowingLimit: Limit('How far above the guarantee it may go.'),
    lendingLimit: Limit('How much of the guarantee others may use.'),
    cap: Limit('At once.'),
  },
  { ...closed, title: 'QuotaUse' },
);

export const Quotas = Type.Object(
  {
    items: Type.Array(QuotaUse),
    runningJobs: Type.Object({ held: Type.Integer(), cap: Limit('At once.') }, closed),
    queuedJobs: Type.Object({ held: Type.Integer(), cap: Limit('At once.') }, closed),
    computePflops: Type.Object({ held: Type.Number(), cap: Limit('At once.') }, closed),
    budget: Type.Object(
      {
        monthlyUsd: Limit('Of a calendar month of UTC.'),
        totalUsd: Limit('Of all time.'),
        spentThisMonthUsd: Usd(),
        spentTotalUsd: Usd(),
        reservedUsd: Usd(
          'For what runs: what it may still cost, and what of its cost is not booked yet, which is by the hour.',
        ),
      },
      {
        ...closed,
        title: 'BudgetUse',
        description:
          'What counts against the budget: what the ledger has of the tenant and all teams below it, corrections too.',
      },
    ),
  },
  { ...closed, title: 'Quotas' },
);
export type Quotas = Static<typeof Quotas>;
