import { Text } from '@mantine/core';
import { Link } from 'wouter';
import type { Shares } from '../../../infra/cli/generated/api.ts';
import { formatCompute } from '../../core/quantity.ts';
import type { Column } from './data-table.tsx';
import { percent, usd } from './format.ts';
import { ShareBar } from './share-bar.tsx';

/** What both the shares of a window and the report of a month say of a tenant. */
type Holding = Pick<Shares['tenants'][number], 'tenant' | 'share' | 'shareCap' | 'compute' | 'costUsd'> & {
  cappedShare?: number | null;
};

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
      show: ({ share }) => <ShareBar share={share} />,
      value: ({ share }) => share,
    },
    {
      name: 'Cap',
      isNumber: true,
      show: (row) => <Cap row={row} />,
      value: ({ shareCap }) => shareCap,
    },
    { name: 'Compute', isNumber: true, show: (row) => formatCompute(row.compute), value: (row) => row.compute },
    { name: 'Cost', isNumber: true, show: ({ costUsd }) => usd(costUsd), value: ({ costUsd }) => costUsd },
  ];
}

/** For a file. */
export const tenantIds: Column<Pick<Holding, 'tenant'>>[] = [
  { name: 'Tenant id', show: ({ tenant }) => tenant?.id, value: ({ tenant }) => tenant?.id ?? '' },
];

/** Of an organisation with what it holds: the share of all its teams. */
function Cap({ row: { share, shareCap, cappedShare = null } }: { row: Holding }) {
  if (shareCap === null) return 'none';
  return (
    <>
      {percent(shareCap, 0)}
      {cappedShare !== null && cappedShare !== share && (
        <Text size="sm" c="dimmed">{`${percent(cappedShare)} with its teams`}</Text>
      )}
    </>
  );
}
