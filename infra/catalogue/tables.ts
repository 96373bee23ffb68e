import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';

/** A row of a table, by column name; an empty cell is an empty string. */
export type Row = Record<string, string>;

export function readTable(folder: string, name: string): Row[] {
  return parse(readFileSync(join(folder, name), 'utf8'), { columns: true, skip_empty_lines: true });
}

/** The cell as a number; undefined where it is empty or no number. */
export function numberIn(row: Row, column: string): number | undefined {
  const text = row[column] ?? '';
  const value = Number(text);
  return text === '' || Number.isNaN(value) ? undefined : value;
}

/** The table's names of accelerators, as weir names them. What is not here can't be named in a job spec. */
export const kindOf: Record<string, string> = {
  T4: 'T4',
  'P100-PCIE': 'P100',
  'V100-SXM2': 'V100',
  L4: 'L4',
  A10G: 'A10G',
  'A100-SXM-40GB': 'A100',
  'A100-SXM-80GB': 'A100-80GB',
  'H100-SXM': 'H100',
  'H200-SXM': 'H200',
  'B200-SXM': 'B200',
  'TPU-v2': 'v2',
  'TPU-v3': 'v3',
  'TPU-v4': 'v4',
  'TPU-v5e': 'v5e',
  'TPU-v5p': 'v5p',
  'TPU-v6e': 'v6e',
};
