import { Text } from '@mantine/core';
import { Link } from 'wouter';
import type { ShareReport } from '../../../../infra/cli/generated/api.ts';
import { queries } from '../../api/client.ts';
import { CsvButton } from '../../parts/csv.tsx';
import { DataTable, type Column } from '../../parts/data-table.tsx';
import { compute, duration, percent, usd } from '../../parts/format.ts';
import { useNowMs } from '../../parts/moment.tsx';
import { usePageTitle } from '../../parts/page-title.ts';
import { PageTitle, Section } from '../../parts/section.tsx';
import { ShareBar } from '../../parts/share-bar.tsx';
import { Answered, Empty } from '../../parts/states.tsx';
import { BudgetBar } from '../../parts/budget-bar.tsx';

type Row = ShareReport['tenants'][number];

const columns: Column<Row>[] = [
  {
    name: 'Tenant',
    isHeader: true,
    show: ({ tenant }) => (tenant === null ? '–' : <Link href={`/tenants/${tenant.id}`}>{tenant.name}</Link>),
    value: ({ tenant }) => tenant?.name ?? '',
  },
  {
    name: 'Share of the month',
    width: '26%',
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
  {
    name: 'Waited (median)',
    isNumber: true,
    show: ({ wait }) => (wait.p50Seconds === null ? '–' : duration(wait.p50Seconds)),
    value: ({ wait }) => wait.p50Seconds,
  },
  { name: 'Spent', isNumber: true, show: ({ costUsd }) => usd(costUsd), value: ({ costUsd }) => costUsd },
  {
    name: 'Of its budget',
    width: '18%',
    show: ({ tenant, costUsd }) => tenant !== null && <BudgetBar tenantId={tenant.id} spentUsd={costUsd} />,
  },
];

/** Every tenant with what it used this month. */
export function Tenants() {
  usePageTitle('Tenants');
  const month = new Date(useNowMs()).toISOString().slice(0, 7);
  const report = queries.useQuery('get', '/v1/shares/report', { params: { query: { month } } });
  return (
    <>
      <PageTitle title="Tenants" hint={`What each used in ${month}, within its caps and its budget.`} />
      <Answered query={report} lines={8}>
        {(answer) => (typeof answer === 'string' ? null : <List rows={answer.tenants} month={month} />)}
      </Answered>
    </>
  );
}

function List({ rows, month }: { rows: Row[]; month: string }) {
  if (rows.length === 0)
    return (
      <Empty title="There is no tenant yet">
        An operator makes one: <code>weir tenants create NAME</code>, or POST /v1/tenants.
      </Empty>
    );
  return (
    <Section
      title={`${rows.length} tenants`}
      hint={<Text span>Those that used most first.</Text>}
      actions={<CsvButton name={`tenants-${month}`} columns={columns} rows={rows} />}
    >
      <DataTable
        caption="Tenants by what they used this month"
        columns={columns}
        rows={rows}
        keyOf={({ tenant }) => tenant?.id ?? ''}
      />
    </Section>
  );
}
