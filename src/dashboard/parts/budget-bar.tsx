import { Progress, Skeleton, Text } from '@mantine/core';
import { useInViewport } from '@mantine/hooks';
import type { BudgetUse } from '../../../infra/cli/generated/api.ts';
import { queries } from '../api/client.ts';
import { percent, usd } from './format.ts';

/** What of its budgets is spent and reserved. It is read once the bar comes in sight: of a thousand tenants a few are. */
export function BudgetBar({ tenantId }: { tenantId: string }) {
  const { ref, inViewport } = useInViewport<HTMLDivElement>();
  const { data: quotas, isError } = queries.useQuery(
    'get',
    '/v1/tenants/{tenant}/quotas',
    { params: { path: { tenant: tenantId } } },
    { refetchInterval: 60_000, enabled: inViewport },
  );
  return (
    <div ref={ref}>
      {quotas !== undefined && <BudgetParts budget={quotas.budget} />}
      {quotas === undefined && (isError ? <Dimmed>its budget can’t be read now</Dimmed> : <Skeleton height={18} />)}
    </div>
  );
}

function Dimmed({ children }: { children: string }) {
  return (
    <Text size="sm" c="dimmed">
      {children}
    </Text>
  );
}

/** Of each budget there is, what is spent, and in a second shade what is reserved. */
export function BudgetParts({ budget }: { budget: BudgetUse }) {
  const { monthlyUsd, totalUsd, spentThisMonthUsd, spentTotalUsd, reservedUsd } = budget;
  if (monthlyUsd === null && totalUsd === null) return <Dimmed>no budget</Dimmed>;
  return (
    <>
      {monthlyUsd !== null && (
        <Part name="this month" limitUsd={monthlyUsd} spentUsd={spentThisMonthUsd} reservedUsd={reservedUsd} />
      )}
      {totalUsd !== null && (
        <Part name="in all" limitUsd={totalUsd} spentUsd={spentTotalUsd} reservedUsd={reservedUsd} />
      )}
    </>
  );
}

type PartProps = { name: string; limitUsd: number; spentUsd: number; reservedUsd: number };

function Part({ name, limitUsd, spentUsd, reservedUsd }: PartProps) {
  const partOf = (amountUsd: number) => (limitUsd === 0 ? 1 : Math.max(0, amountUsd) / limitUsd);
  const spent = Math.min(1, partOf(spentUsd));
  const reserved = Math.min(1 - spent, partOf(reservedUsd));
  const isNearlyUsedUp = spent + reserved > 0.9;
  return (
    <>
      <Progress.Root size="sm" mt={6} mb={4}>
        <Progress.Section
          value={spent * 100}
          color={isNearlyUsedUp ? 'red' : 'cyan'}
          aria-label={`Spent of the budget ${name}`}
        />
        <Progress.Section
          value={reserved * 100}
          color={isNearlyUsedUp ? 'red.3' : 'cyan.3'}
          aria-label={`Reserved of the budget ${name}`}
        />
      </Progress.Root>
      <Dimmed>
        {`${percent(partOf(spentUsd), 0)} of ${usd(limitUsd)} ${name}${reservedUsd > 0 ? `, ${usd(reservedUsd)} reserved` : ''}`}
      </Dimmed>
    </>
  );
}
