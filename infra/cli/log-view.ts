import type { LogLine } from './generated/api.ts';
import { isTerminal, paint, print } from './screen.ts';

/** The text as the job wrote it; for people, with what weir itself says set apart. */
export function showLine({ stream, text, node }: LogLine): void {
  if (!isTerminal) return print(text);
  const from = node === 0 ? '' : paint('dim', `[node ${node}] `);
  print(stream === 'weir' ? paint('dim', `weir: ${text}`) : `${from}${text}`);
}
