import type { QueuedTenant } from '../../../../infra/cli/generated/api.ts';
import { Link } from 'wouter';
import { CsvButton } from '../../parts/csv-button.tsx';
import { DataTable, type Column } from '../../parts/data-table.tsx';
import { formatCompute } from '../../../core/quantity.ts';
import { count } from '../../parts/format.ts';
import { Section } from '../../parts/section.tsx';

const columns: Column<QueuedTenant>[] = [
  { name: 'Turn', isNumber: true, show: ({ turn }) => turn ?? '–', value: ({ turn }) => turn },
  {
    name: 'Tenant',
    isHeader: true,
    show: ({ tenant }) => <Link href={`/tenants/${tenant.id}`}>{tenant.name}</Link>,
    value: ({ tenant }) => tenant.name,
  },
  { name: 'Waiting jobs', isNumber: true, show: ({ queued }) => count(queued), value: ({ queued }) => queued },
  {
    name: 'Below its guarantee',
    show: ({ isGuaranteed }) => (isGuaranteed === true ? 'yes: it goes first' : 'no'),
    value: ({ isGuaranteed }) => String(isGuaranteed ?? ''),
  },
  {
    name: 'Used lately, by weight',
    isNumber: true,
    show: ({ usePerWeight }) => (usePerWeight === null ? '–' : formatCompute(usePerWeight)),
    value: ({ usePerWeight }) => usePerWeight,
  },
];

/** Whose next job dispatch looks at first, and by what. */
export function Turns({ tenants }: { tenants: QueuedTenant[] }) {
  if (tenants.length === 0) return null;
  const rows = tenants.toSorted((a, b) => (a.turn ?? Infinity) - (b.turn ?? Infinity));
  return (
    <Section
      title="Whose turn it is"
      hint="Who is below its guarantee goes first; then who has used least by weight, older use counting less."
      actions={<CsvButton name="turns" columns={columns} rows={rows} />}
    >
      <DataTable caption="Tenants whose jobs wait" columns={columns} rows={rows} keyOf={({ tenant }) => tenant.id} />
    </Section>
  );
}
