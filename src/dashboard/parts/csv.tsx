import { Button } from '@mantine/core';
import type { Column } from './data-table.tsx';

/** RFC 4180. A cell that a spreadsheet would take for a formula is kept from being one. */
export function csvOf<Row>(columns: Column<Row>[], rows: readonly Row[]): string {
  const kept = columns.filter(({ value }) => value !== undefined);
  const lines = [kept.map(({ name }) => name), ...rows.map((row) => kept.map(({ value }) => value?.(row) ?? ''))];
  return lines.map((cells) => `${cells.map(cellOf).join(',')}\r\n`).join('');
}

function cellOf(value: string | number): string {
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

type CsvButtonProps<Row> = { name: string; columns: Column<Row>[]; rows: readonly Row[] };

export function CsvButton<Row>({ name, columns, rows }: CsvButtonProps<Row>) {
  return (
    <Button size="compact-sm" variant="subtle" onClick={() => save(`${name}.csv`, csvOf(columns, rows))}>
      CSV
    </Button>
  );
}

function save(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/csv' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
