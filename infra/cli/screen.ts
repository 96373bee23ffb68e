import { styleText } from 'node:util';

/** Tables and colours for people; tab-separated values, and nothing else, for programs. */
export let isTerminal = process.stdout.isTTY === true;

let output: NodeJS.WriteStream = process.stdout;

export type Style = Parameters<typeof styleText>[0];
export type Paint = (style: Style, text: string) => string;

function createPaint(stream: NodeJS.WriteStream): Paint {
  const { NO_COLOR: noColour = '', TERM: terminal } = process.env;
  const isColoured = stream.isTTY === true && noColour === '' && terminal !== 'dumb';
  return (style, text) => (isColoured ? styleText(style, text, { validateStream: false }) : text);
}

const paintOutput = createPaint(process.stdout);
export const paintError = createPaint(process.stderr);

export function paint(style: Style, text: string): string {
  return output === process.stderr ? paintError(style, text) : paintOutput(style, text);
}

/** Of a table: a file or a pipe has no end to the right. */
export function outputColumns(): number {
  return output.columns || Infinity;
}

export function print(line = ''): void {
  output.write(`${line}\n`);
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, isTerminal ? 2 : undefined));
}

/** What a command does and asks, to stderr: not the answer. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** What `show` prints goes to stderr, for whoever is asked there while the answer goes to a file or a pipe. */
export function onStderr(show: () => void): void {
  const former = { output, isTerminal };
  output = process.stderr;
  isTerminal = process.stderr.isTTY === true;
  try {
    show();
  } finally {
    ({ output, isTerminal } = former);
  }
}

/** For people who watch: never in a pipe, and never among the output. */
export function note(line: string): void {
  if (isTerminal && process.stderr.isTTY === true) say(paintError('dim', line));
}

/** What others wrote can't move the cursor or break a row. */
export function plain(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, ' ');
}
