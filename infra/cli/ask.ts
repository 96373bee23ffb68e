import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { text as readAll } from 'node:stream/consumers';
import { exitCodes, Failure } from './failure.ts';

/** Whether someone is there to answer. */
export const isAttended = process.stdin.isTTY === true && process.stderr.isTTY === true;

export async function confirm(question: string): Promise<boolean> {
  return /^y(es)?$/i.test((await ask(`${question} [y/N] `)).trim());
}

export async function ask(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await answerTo(lines, question);
  } finally {
    lines.close();
  }
}

/** What is typed is not shown; in a pipe it is read whole, less the line break at its end. */
export async function askSecret(question: string): Promise<string> {
  if (process.stdin.isTTY !== true) return (await readAll(process.stdin)).replace(/\r?\n$/, '');
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true });
  // From here on the terminal shows nothing of what is typed.
  process.stderr.write(question);
  try {
    return await answerTo(lines, '');
  } finally {
    lines.close();
    process.stderr.write('\n');
  }
}

/** The end of input closes the lines without an answer; Ctrl-C ends the command. */
function answerTo(lines: Interface, question: string): Promise<string> {
  const interrupted = once(lines, 'SIGINT').then(() => {
    process.stderr.write('\n');
    throw new Failure('Interrupted.', { exitCode: exitCodes.interrupted });
  });
  return Promise.race([lines.question(question), once(lines, 'close').then(() => ''), interrupted]);
}
