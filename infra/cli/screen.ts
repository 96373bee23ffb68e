import { styleText } from 'node:util';

/** Tables and colours for people; tab-separated values, and nothing else, for programs. */
export const isTerminal = process.stdout.isTTY === true;

type Style = Parameters<typeof styleText>[0];

function createPaint(stream: NodeJS.WriteStream): (style: Style, text: string) => string {
  const { NO_COLOR: noColour = '', TERM: terminal } = process.env;
  const isColoured = stream.isTTY === true && noColour === '' && terminal !== 'dumb';
  return (style, text) => (isColoured ? styleText(style, text, { validateStream: false }) : text);
}

export const paint = createPaint(process.stdout);
export const paintError = createPaint(process.stderr);

export function print(line = ''): void {
  process.stdout.write(`${line}\n`);
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, isTerminal ? 2 : undefined));
}

/** For people who watch: never in a pipe, and never among the output. */
export function note(line: string): void {
  if (isTerminal && process.stderr.isTTY === true) process.stderr.write(`${paintError('dim', line)}\n`);
}

/** What others wrote can't move the cursor or break a row. */
export function plain(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, ' ');
}

/** Rows in columns as wide as their widest cell, numbers to the right; in a pipe tab-separated and without a head. */
export function table(head: readonly string[], rows: readonly string[][]): void {
  const cells = rows.map((row) => row.map(plain));
  if (!isTerminal) return cells.forEach((row) => print(row.join('\t')));
  const widths = head.map((name, column) => Math.max(name.length, ...cells.map((row) => row[column]?.length ?? 0)));
  const isNumeric = head.map((_name, column) => cells.every((row) => /^([$\d+−-]|$)/.test(row[column] ?? '')));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) =>
        isNumeric[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  print(paint('dim', line(head)));
  for (const row of cells) print(line(row));
}

/** Names and values of one thing; what has no value is left out. */
export function fields(pairs: readonly [name: string, value: string | undefined][]): void {
  const shown = pairs.filter((pair): pair is [string, string] => pair[1] !== undefined && pair[1] !== '');
  const width = Math.max(0, ...shown.map(([name]) => name.length));
  for (const [name, value] of shown)
    print(isTerminal ? `${paint('dim', name.padEnd(width))}  ${plain(value)}` : `${name}\t${plain(value)}`);
}
