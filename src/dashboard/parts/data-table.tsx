import { Button, Table } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { count } from './format.ts';
import styles from './data-table.module.css';

/** A column: what a cell shows, and the plain value that a CSV gets. */
export type Column<Row> = {
  name: string;
  show: (row: Row) => ReactNode;
  value?: (row: Row) => string | number | null;
  isNumber?: boolean;
  /** The column that names the row. */
  isHeader?: boolean;
  width?: string;
};

type DataTableProps<Row> = {
  caption: string;
  columns: Column<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row, at: number) => string;
};

/** A browser draws so many rows without a wait; the others are asked for. */
const rowsAtOnce = 500;

/** On a phone each row becomes a card; then only the roles still say that this is a table. */
export function DataTable<Row>({ caption, columns, rows, keyOf }: DataTableProps<Row>) {
  const [most, setMost] = useState(rowsAtOnce);
  return (
    <>
      <Table role="table" className={styles.table} verticalSpacing="sm" horizontalSpacing="sm" captionSide="top">
        <Table.Caption className={styles.caption}>{caption}</Table.Caption>
        <Table.Thead role="rowgroup">
          <Table.Tr role="row">
            {columns.map((column) => (
              <Table.Th key={column.name} role="columnheader" scope="col" {...looksOf(column)}>
                {column.name}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody role="rowgroup">
          {rows.slice(0, most).map((row, at) => (
            <Table.Tr key={keyOf(row, at)} role="row">
              {columns.map((column) => (
                <Cell key={column.name} column={column}>
                  {column.show(row)}
                </Cell>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {rows.length > most && (
        <Button mt="sm" size="xs" variant="default" onClick={() => setMost(most + rowsAtOnce)}>
          {`Show more of ${count(rows.length)}`}
        </Button>
      )}
    </>
  );
}

function Cell<Row>({ column, children }: { column: Column<Row>; children: ReactNode }) {
  const shared = { ...looksOf(column), 'data-label': column.name };
  return column.isHeader === true ? (
    <Table.Th role="rowheader" scope="row" {...shared}>
      <div>{children}</div>
    </Table.Th>
  ) : (
    <Table.Td role="cell" {...shared}>
      <div>{children}</div>
    </Table.Td>
  );
}

function looksOf({ isNumber, width }: { isNumber?: boolean; width?: string }) {
  return { className: isNumber === true ? styles.number : undefined, w: width };
}
