import { Text } from '@mantine/core';
import { Link } from 'wouter';
import type { Shares } from '../../../infra/cli/generated/api.ts';
import { formatCompute } from '../../core/quantity.ts';
import type { Column } from './data-table.tsx';
import { percent, usd } from './format.ts';
import { ShareBar } from './share-bar.tsx';

/** What both the shares of a window and the report of a month say of a tenant. */
type Holding = Pick<Shares['tenants'][number], 'tenant' | 'share' | 'shareCap' | 'compute' | 'costUsd'>;

/** A tenant, what part of the compute it has, how much that is, and what it cost. */
export function holdingColumns(shareWidth: string): Column<Holding>[] {
  return [
    {
      name: 'Tenant',
      isHeader: true,
      show: ({ tenant }) =>
        tenant === null ? (
          <Text c="dimmed">another tenant</Text>
        ) : (
          <Link href={`/tenants/${tenant.id}`}>{tenant.name}</Link>
        ),
      value: ({ tenant }) => tenant?.name ?? '',
    },
    {
      name: 'Share',
      width: shareWidth,
      show: ({ share, shareCap }) => <ShareBar share={share} cap={shareCap} />,
      value: ({ share }) => share,
    },
    {
      name: 'Cap',
      isNumber: true,
      show: ({ shareCap }) => (shareCap === null ? 'none' : percent(shareCap, 0)),
      value: ({ shareCap }) => shareCap,
    },
    { name: 'Compute', isNumber: true, show: (row) => formatCompute(row.compute), value: (row) => row.compute },
    { name: 'Cost', isNumber: true, show: ({ costUsd }) => usd(costUsd), value: ({ costUsd }) => costUsd },
  ];
}
