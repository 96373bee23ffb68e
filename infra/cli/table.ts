import { isTerminal, outputColumns, paint, plain, print, type Style } from './screen.ts';
import { fit, padEnd, padStart, widthOf } from './width.ts';

/** A text, perhaps in a colour. */
export type Cell = string | { text: string; style: Style };

const gap = 2;
/** A column is made no narrower than this where a table is wider than the terminal. */
const narrowest = 12;

/**
 * Rows in columns as wide as their widest cell, numbers to the right; what is too wide for the terminal is cut where it is widest. In
 * a pipe tab-separated, whole and without a head.
 */
export function table(head: readonly string[], rows: readonly Cell[][]): void {
  if (!isTerminal) return rows.forEach((row) => print(row.map((cell) => plain(textOf(cell))).join('\t')));
  for (const line of tableLines(head, rows, outputColumns())) print(line);
}

/** The head and the rows, for a terminal so many columns wide. */
export function tableLines(head: readonly string[], rows: readonly Cell[][], columns: number): string[] {
  const texts = rows.map((row) => row.map((cell) => plain(textOf(cell))));
  const widest = head.map((name, column) =>
    texts.reduce((most, row) => Math.max(most, widthOf(row[column] ?? '')), widthOf(name)),
  );
  const isNumeric = head.map((_name, column) => texts.every((row) => /^([$\d+−-]|$)/.test(row[column] ?? '')));
  const widths = fitTo(widest, columns);
  const place = (text: string, column: number) => {
    const width = widths[column] ?? 0;
    return isNumeric[column] === true ? padStart(fit(text, width), width) : padEnd(fit(text, width), width);
  };
  const line = (cells: string[]) => fit(cells.join(' '.repeat(gap)).trimEnd(), columns);
  return [
    paint('dim', line(head.map(place))),
    ...texts.map((row, index) =>
      line(row.map((text, column) => painted(rows[index]?.[column] ?? '', place(text, column)))),
    ),
  ];
}

export function textOf(cell: Cell): string {
  return typeof cell === 'string' ? cell : cell.text;
}

function painted(cell: Cell, text: string): string {
  return typeof cell === 'string' ? text : paint(cell.style, text);
}

/** The first column names what the row is of, and stays whole. */
function fitTo(widths: readonly number[], columns: number): number[] {
  const fitted = [...widths];
  for (;;) {
    const excess = fitted.reduce((sum, width) => sum + width + gap, -gap) - columns;
    const [, ...others] = fitted;
    const most = Math.max(0, ...others);
    if (excess <= 0 || most <= narrowest) return fitted;
    const at = 1 + others.indexOf(most);
    const second = Math.max(narrowest, ...others.filter((width) => width < most));
    fitted[at] = Math.max(second, most - excess, narrowest);
    if (fitted[at] === most) fitted[at] = most - 1;
  }
}

/** Names and values of one thing; what has no value is left out. */
export function fields(pairs: readonly [name: string, value: Cell | undefined][]): void {
  const shown = pairs.filter((pair): pair is [string, Cell] => pair[1] !== undefined && textOf(pair[1]) !== '');
  const width = Math.max(0, ...shown.map(([name]) => widthOf(name)));
  for (const [name, value] of shown) {
    const text = plain(textOf(value));
    print(isTerminal ? `${paint('dim', padEnd(name, width))}  ${painted(value, text)}` : `${name}\t${text}`);
  }
}
