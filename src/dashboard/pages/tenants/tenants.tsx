import { Text } from '@mantine/core';
import type { ShareReport } from '../../../../infra/cli/generated/api.ts';
import { queries } from '../../api/client.ts';
import { CsvButton } from '../../parts/csv-button.tsx';
import { DataTable, type Column } from '../../parts/data-table.tsx';
import { count, duration, plural } from '../../parts/format.ts';
import { holdingColumns, tenantIds } from '../../parts/holding-columns.tsx';
import { useNowMs } from '../../parts/moment.tsx';
import { usePageTitle } from '../../parts/page-title.ts';
import { PageTitle, Section } from '../../parts/section.tsx';
import { Answered, Empty } from '../../parts/states.tsx';
import { BudgetBar } from '../../parts/budget-bar.tsx';

type Row = ShareReport['tenants'][number];

const columns: Column<Row>[] = [
  ...holdingColumns('26%'),
  {
    name: 'Of its budget',
    width: '18%',
    show: ({ tenant }) => tenant !== null && <BudgetBar tenantId={tenant.id} />,
  },
  {
    name: 'Waited (median)',
    isNumber: true,
    show: ({ wait }) => (wait.p50Seconds === null ? '–' : duration(wait.p50Seconds)),
    value: ({ wait }) => wait.p50Seconds,
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
      title={`${count(rows.length)} ${plural(rows.length, 'tenant')}`}
      hint={<Text span>Those that used most first.</Text>}
      actions={<CsvButton name={`tenants-${month}`} columns={[...columns, ...tenantIds]} rows={rows} />}
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
