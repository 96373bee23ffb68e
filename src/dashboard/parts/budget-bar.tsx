import { Progress, Skeleton, Text } from '@mantine/core';
import { useInViewport } from '@mantine/hooks';
import type { Policy } from '../../../infra/cli/generated/api.ts';
import { queries } from '../api/client.ts';
import { percent, usd } from './format.ts';

/** What of the month's budget is spent. The policy is read once the bar comes in sight: of a thousand tenants a few are. */
export function BudgetBar({ tenantId, spentUsd }: { tenantId: string; spentUsd: number }) {
  const { ref, inViewport } = useInViewport<HTMLDivElement>();
  const { data: policy, isError } = queries.useQuery(
    'get',
    '/v1/tenants/{tenant}/policy',
    { params: { path: { tenant: tenantId } } },
    { refetchInterval: 60_000, enabled: inViewport },
  );
  return (
    <div ref={ref}>
      {policy !== undefined && <Spent policy={policy} spentUsd={spentUsd} />}
      {policy === undefined && (isError ? <Unknown /> : <Skeleton height={18} />)}
    </div>
  );
}

function Unknown() {
  return (
    <Text size="sm" c="dimmed">
      its budget can’t be read now
    </Text>
  );
}

function Spent({ policy, spentUsd }: { policy: Policy; spentUsd: number }) {
  const monthlyUsd = policy.budget?.monthlyUsd;
  if (monthlyUsd === undefined)
    return (
      <Text size="sm" c="dimmed">
        no monthly budget
      </Text>
    );
  const part = monthlyUsd === 0 ? 1 : spentUsd / monthlyUsd;
  return (
    <>
      <Progress
        value={Math.min(100, part * 100)}
        size="sm"
        mt={6}
        mb={4}
        color={part > 0.9 ? 'red' : 'cyan'}
        aria-label="Of the month’s budget"
      />
      <Text size="sm" c="dimmed">{`${percent(part, 0)} of ${usd(monthlyUsd)}`}</Text>
    </>
  );
}
