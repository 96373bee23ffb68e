import { thinned } from '../../charts/thin.ts';

/** Columns of numbers over one that rises, as a training's history is often written. */
export type Curves = { x: string; xs: number[]; columns: { name: string; values: (number | null)[] }[] };

const mostColumns = 8;
const fewestRows = 2;

/** The curves that a CSV or a file of JSON lines holds, as many points as a chart draws; undefined where it holds none. */
export function curvesOf(path: string, text: string): Curves | undefined {
  const rows = /\.(csv|tsv)$/i.test(path) ? rowsOfCsv(text, /\.tsv$/i.test(path) ? '\t' : ',') : rowsOfJson(text);
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const numeric = names.filter((name) => rows.every((row) => row[name] === undefined || Number.isFinite(row[name])));
  if (rows.length < fewestRows || numeric.length === 0) return undefined;
  const rising = numeric.find((name) => isRising(rows.map((row) => row[name])));
  const columns = numeric.filter((name) => name !== rising || numeric.length === 1).slice(0, mostColumns);
  const points = thinned(rows.map((row, at) => ({ row, x: rising === undefined ? at + 1 : (row[rising] ?? at) })));
  return {
    x: rising ?? 'row',
    xs: points.map(({ x }) => x),
    columns: columns.map((name) => ({ name, values: points.map(({ row }) => row[name] ?? null) })),
  };
}

type Row = Record<string, number | undefined>;

function isRising(values: (number | undefined)[]): boolean {
  return values.every((value, at) => value !== undefined && (at === 0 || value > (values[at - 1] ?? Infinity)));
}

function rowsOfCsv(text: string, separator: string): Row[] {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  const cells = lines.map((line) => line.split(separator).map((cell) => cell.trim().replaceAll('"', '')));
  const [first = []] = cells;
  const hasHeader = first.some((cell) => !Number.isFinite(Number(cell)));
  const names = hasHeader ? first : first.map((_, at) => `column ${at + 1}`);
  return cells
    .slice(hasHeader ? 1 : 0)
    .map((row) => Object.fromEntries(names.map((name, at) => [name, numberOf(row[at])])));
}

function numberOf(cell: string | undefined): number | undefined {
  return cell === undefined || cell === '' ? undefined : Number(cell);
}

/** A list of objects, or an object a line; what is no number in them is left out. */
function rowsOfJson(text: string): Row[] {
  const parsed = text.trimStart().startsWith('[')
    ? parse(text)
    : text
        .split('\n')
        .filter((line) => line !== '')
        .map(parse);
  if (!Array.isArray(parsed)) return [];
  return parsed.filter(isObject).map((row) => Object.fromEntries(Object.entries(row).filter(isNumeric)));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const isNumeric = (entry: [string, unknown]): entry is [string, number] => typeof entry[1] === 'number';
