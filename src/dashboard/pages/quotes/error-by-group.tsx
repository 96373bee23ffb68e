import type { QuoteAccuracy } from '../../../../infra/cli/generated/api.ts';
import { CsvButton } from '../../parts/csv-button.tsx';
import { DataTable, type Column } from '../../parts/data-table.tsx';
import { Section } from '../../parts/section.tsx';
import { percentOf } from './percent-of.ts';

type Row = { group: string } & Pick<QuoteAccuracy, 'finishedJobs' | 'duration' | 'cost'>;

export function ErrorByGroup({ title, of, rows }: { title: string; of: string; rows: Row[] }) {
  const columns = columnsOf(of);
  return (
    <Section
      title={title}
      actions={<CsvButton name={`quote-error-by-${of.toLowerCase()}`} columns={columns} rows={rows} />}
    >
      <DataTable
        caption={`Median error of quotes, ${title.toLowerCase()}, and how many costs came within p10 to p90`}
        columns={columns}
        rows={rows}
        keyOf={({ group }) => group}
      />
    </Section>
  );
}

function columnsOf(of: string): Column<Row>[] {
  return [
    { name: of, isHeader: true, show: ({ group }) => group, value: ({ group }) => group },
    {
      name: 'Jobs',
      isNumber: true,
      show: ({ finishedJobs }) => finishedJobs,
      value: ({ finishedJobs }) => finishedJobs,
    },
    {
      name: 'Cost error',
      isNumber: true,
      show: ({ cost }) => percentOf(cost.medianErrorPercent),
      value: ({ cost }) => cost.medianErrorPercent,
    },
    {
      name: 'Time error',
      isNumber: true,
      show: ({ duration }) => percentOf(duration.medianErrorPercent),
      value: ({ duration }) => duration.medianErrorPercent,
    },
    {
      name: 'In range',
      isNumber: true,
      show: ({ cost }) => percentOf(cost.coveragePercent),
      value: ({ cost }) => cost.coveragePercent,
    },
  ];
}
