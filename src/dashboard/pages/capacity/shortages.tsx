import type { SeenShortage } from '../../../../infra/cli/generated/api.ts';
import { CsvButton } from '../../parts/csv-button.tsx';
import { DataTable, type Column } from '../../parts/data-table.tsx';
import { Moment } from '../../parts/moment.tsx';
import { Section } from '../../parts/section.tsx';
import { Empty } from '../../parts/states.tsx';

const causes = { stockout: 'had none', quota: 'quota reached', refused: 'refuses us' } as const;

const columns: Column<SeenShortage>[] = [
  { name: 'Where', isHeader: true, show: placeOf, value: placeOf },
  { name: 'What', show: wareOf, value: wareOf },
  { name: 'Cause', show: ({ cause }) => causes[cause], value: ({ cause }) => cause },
  { name: 'What would help', width: '40%', show: ({ message }) => message, value: ({ message }) => message },
  { name: 'Seen', show: ({ at }) => <Moment at={at} />, value: ({ at }) => at },
  { name: 'Asked again', show: ({ askedAgainAt }) => <Moment at={askedAgainAt} />, value: (row) => row.askedAgainAt },
];

function placeOf({ provider, region, zone }: SeenShortage): string {
  return [provider, zone ?? region ?? 'everywhere'].join(', ');
}

function wareOf({ machineType, kind, market }: SeenShortage): string {
  return [machineType ?? kind ?? 'any machine', market].filter((part) => part !== null).join(', ');
}

export function Shortages({ shortages }: { shortages: SeenShortage[] }) {
  return (
    <Section title="Shortages" actions={<CsvButton name="shortages" columns={columns} rows={shortages} />}>
      {shortages.length === 0 ? (
        <Empty title="Everything that was asked for could be had">Within the last day, as far as weir asked.</Empty>
      ) : (
        <DataTable
          caption="What could not be had within a day"
          columns={columns}
          rows={shortages}
          keyOf={(row) => `${placeOf(row)} ${wareOf(row)} ${row.cause}`}
        />
      )}
    </Section>
  );
}
