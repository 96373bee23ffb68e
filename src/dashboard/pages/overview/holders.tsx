import { Text } from '@mantine/core';
import { Link } from 'wouter';
import type { Shares } from '../../../../infra/cli/generated/api.ts';
import { CsvButton } from '../../parts/csv.tsx';
import { DataTable, type Column } from '../../parts/data-table.tsx';
import { compute, percent, usd } from '../../parts/format.ts';
import { Section } from '../../parts/section.tsx';
import { Empty } from '../../parts/states.tsx';
import { ShareBar } from '../../parts/share-bar.tsx';
import { windowName, type Window } from './windows.ts';

type Row = Shares['tenants'][number];

const columns: Column<Row>[] = [
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
    width: '45%',
    show: ({ share, shareCap }) => <ShareBar share={share} cap={shareCap} />,
    value: ({ share }) => share,
  },
  {
    name: 'Cap',
    isNumber: true,
    show: ({ shareCap }) => (shareCap === null ? 'none' : percent(shareCap, 0)),
    value: ({ shareCap }) => shareCap,
  },
  { name: 'Compute', isNumber: true, show: (row) => compute(row.compute), value: (row) => row.compute },
  { name: 'Cost', isNumber: true, show: ({ costUsd }) => usd(costUsd), value: ({ costUsd }) => costUsd },
];

export function Holders({ shares, window }: { shares: Shares; window: Window }) {
  const rows = shares.tenants;
  return (
    <Section title="Who holds the compute" actions={<CsvButton name="shares" columns={columns} rows={rows} />}>
      {rows.length === 0 ? (
        <Empty title="There is no tenant yet">An operator makes one with POST /v1/tenants.</Empty>
      ) : (
        <DataTable
          caption={`Share of the compute, ${windowName(window)}`}
          columns={columns}
          rows={rows}
          keyOf={(row) => row.tenant?.id ?? String(rows.indexOf(row))}
        />
      )}
    </Section>
  );
}
