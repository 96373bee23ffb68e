import type { JobProgress } from '../../../../infra/cli/generated/api.ts';
import { CsvButton } from '../../parts/csv-button.tsx';
import { DataTable, type Column } from '../../parts/data-table.tsx';
import { bytes } from '../../parts/format.ts';
import { Moment } from '../../parts/moment.tsx';
import { Section } from '../../parts/section.tsx';

type Row = JobProgress['usage'][number];

const columns: Column<Row>[] = [
  { name: 'Node', isHeader: true, show: ({ node }) => node, value: ({ node }) => node },
  {
    name: 'CPU',
    isNumber: true,
    show: ({ cpuPercent }) => `${Math.round(cpuPercent)} % of a core`,
    value: ({ cpuPercent }) => cpuPercent,
  },
  {
    name: 'Memory',
    isNumber: true,
    show: ({ memoryBytes }) => bytes(memoryBytes),
    value: ({ memoryBytes }) => memoryBytes,
  },
  { name: 'GPUs', isNumber: true, show: ({ gpus }) => gpusOf(gpus), value: ({ gpus }) => gpusOf(gpus) },
  { name: 'Seen', isNumber: true, show: ({ at }) => <Moment at={at} />, value: ({ at }) => at },
];

function gpusOf(gpus: Row['gpus']): string {
  if (gpus.length === 0) return 'none';
  return gpus
    .map(({ utilizationPercent, memoryBytes }) => `${Math.round(utilizationPercent)} %, ${bytes(memoryBytes)}`)
    .join('; ');
}

/** What each machine of the last attempt was last seen to use. */
export function MachineUse({ usage }: { usage: Row[] }) {
  if (usage.length === 0) return null;
  return (
    <Section title="Use of the machines" actions={<CsvButton name="machine-use" columns={columns} rows={usage} />}>
      <DataTable caption="As each was last seen" columns={columns} rows={usage} keyOf={({ node }) => String(node)} />
    </Section>
  );
}
