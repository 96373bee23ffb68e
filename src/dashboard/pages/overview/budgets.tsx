import { Link } from 'wouter';
import type { ShareReport } from '../../../../infra/cli/generated/api.ts';
import { BudgetBar } from '../../parts/budget-bar.tsx';
import { DataTable, type Column } from '../../parts/data-table.tsx';
import { usd } from '../../parts/format.ts';
import { Section } from '../../parts/section.tsx';
import { Empty } from '../../parts/states.tsx';

const mostShown = 6;

type Row = ShareReport['tenants'][number];

const columns: Column<Row>[] = [
  {
    name: 'Tenant',
    isHeader: true,
    show: ({ tenant }) => tenant !== null && <Link href={`/tenants/${tenant.id}`}>{tenant.name}</Link>,
  },
  { name: 'Used this month', isNumber: true, show: ({ costUsd }) => usd(costUsd) },
  {
    name: 'Of its budget',
    width: '46%',
    show: ({ tenant }) => tenant !== null && <BudgetBar tenantId={tenant.id} />,
  },
];

/** Who spends most this month, and how much of its budget that is. */
export function Budgets({ report }: { report: ShareReport }) {
  const rows = report.tenants
    .filter(({ tenant }) => tenant !== null)
    .toSorted((a, b) => b.costUsd - a.costUsd)
    .slice(0, mostShown);
  return (
    <Section
      title="Spend against budgets"
      hint="Those that used most this calendar month first. Against a budget counts what is spent and reserved, with all teams below."
    >
      {rows.length === 0 ? (
        <Empty title="There is no tenant yet" />
      ) : (
        <DataTable
          caption="Spend of the month"
          columns={columns}
          rows={rows}
          keyOf={({ tenant }) => tenant?.id ?? ''}
        />
      )}
    </Section>
  );
}
