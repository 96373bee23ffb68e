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
