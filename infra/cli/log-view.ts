import type { JobEvent, LogLine } from './generated/api.ts';
import { isTerminal, paint, plain, print } from './screen.ts';
import { when } from './words.ts';

/** The text as the job wrote it; for people, with what weir itself says set apart. */
export function showLine({ stream, text, node }: LogLine): void {
  if (!isTerminal) return print(text);
  const from = node === 0 ? '' : paint('dim', `[node ${node}] `);
  print(stream === 'weir' ? paint('dim', `weir: ${text}`) : `${from}${text}`);
}

export function showEvent({ at, type, attempt, message }: JobEvent): void {
  if (!isTerminal) return print([at, type, attempt === null ? '' : String(attempt), plain(message)].join('\t'));
  print(`${paint('dim', when(at).padEnd(12))}  ${type.padEnd(24)}  ${plain(message)}`);
}
