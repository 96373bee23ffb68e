import { styleText } from 'node:util';

/** Tables and colours for people; tab-separated values, and nothing else, for programs. */
export const isTerminal = process.stdout.isTTY === true;

export type Style = Parameters<typeof styleText>[0];
export type Paint = (style: Style, text: string) => string;

function createPaint(stream: NodeJS.WriteStream): Paint {
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

/** What a command does and asks, to stderr: not the answer. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** For people who watch: never in a pipe, and never among the output. */
export function note(line: string): void {
  if (isTerminal && process.stderr.isTTY === true) say(paintError('dim', line));
}

/** What others wrote can't move the cursor or break a row. */
export function plain(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, ' ');
}
