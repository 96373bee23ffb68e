import { SegmentedControl } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { CsvButton } from './csv-button.tsx';
import { DataTable, type Column } from './data-table.tsx';
import { Section } from './section.tsx';

type ChartSectionProps<Row> = {
  title: string;
  hint?: ReactNode;
  /** Of the file that the CSV is saved as. */
  name: string;
  columns: Column<Row>[];
  rows: readonly Row[];
  /** For the CSV, where there are more rows than are shown. */
  readAll?: () => Promise<readonly Row[]>;
  keyOf: (row: Row, at: number) => string;
  actions?: ReactNode;
  children: ReactNode;
};

/** A chart with the same numbers as a table and as a CSV. */
export function ChartSection<Row>(props: ChartSectionProps<Row>) {
  const { title, hint, name, columns, rows, readAll, keyOf, actions, children } = props;
  const [view, setView] = useState('chart');
  return (
    <Section
      title={title}
      hint={hint}
      actions={
        <>
          {actions}
          <SegmentedControl
            size="xs"
            aria-label={`${title}: how to show it`}
            data={[
              { value: 'chart', label: 'Chart' },
              { value: 'table', label: 'Table' },
            ]}
            value={view}
            onChange={setView}
          />
          <CsvButton name={name} columns={columns} rows={readAll ?? rows} />
        </>
      }
    >
      {view === 'chart' ? children : <DataTable caption={title} columns={columns} rows={rows} keyOf={keyOf} />}
    </Section>
  );
}
