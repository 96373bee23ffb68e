import { Progress, Text } from '@mantine/core';
import { queries } from '../api/client.ts';
import { percent, usd } from './format.ts';

/** What of the month's budget is spent. */
export function BudgetBar({ tenantId, spentUsd }: { tenantId: string; spentUsd: number }) {
  const { data: policy } = queries.useQuery(
    'get',
    '/v1/tenants/{tenant}/policy',
    { params: { path: { tenant: tenantId } } },
    { refetchInterval: 60_000 },
  );
  if (policy === undefined) return null;
  const monthlyUsd = policy.budget?.monthlyUsd;
  if (monthlyUsd === undefined)
    return (
      <Text span size="sm" c="dimmed">
        no monthly budget
      </Text>
    );
  const part = monthlyUsd === 0 ? 1 : spentUsd / monthlyUsd;
  return (
    <div>
      <Progress
        value={Math.min(100, part * 100)}
        size="sm"
        mt={6}
        mb={4}
        color={part > 0.9 ? 'red' : 'cyan'}
        aria-label="Of the month’s budget"
      />
      <Text size="sm" c="dimmed">{`${percent(part, 0)} of ${usd(monthlyUsd)}`}</Text>
    </div>
  );
}
