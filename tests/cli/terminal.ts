import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import type { Weir } from '../support/installed-command.ts';
import { processesOf } from '../support/processes.ts';
import { waitFor } from '../support/wait.ts';

const run = promisify(execFile);

/** A terminal of tmux's, with a shell in it, as a user sits before it. */
export type Terminal = {
  type: (text: string) => Promise<void>;
  /** `Enter`, `C-c`, `Down`. */
  press: (key: string) => Promise<void>;
  /** What is seen now; with colours as escape sequences. */
  seen: (options?: { colours: boolean }) => Promise<string>;
  /** Waits until something is seen, and answers all that is seen then. */
  until: (what: RegExp) => Promise<string>;
  resize: (columns: number, rows: number) => Promise<void>;
  close: () => Promise<void>;
};

/** A shell in the command's directory and environment, where `weir` is the command. */
export async function openTerminal({ directory, words, env }: Weir, columns = 120, rows = 40): Promise<Terminal> {
  // A server of its own: it knows nothing of ours and ends with its only session.
  const socket = `weir-${randomUUID()}`;
  const tmux = async (...given: string[]) => (await run('tmux', ['-L', socket, '-f', '/dev/null', ...given])).stdout;
  const shell = [
    'env',
    '-i',
    ...Object.entries({ ...env, TERM: 'xterm-256color', PS1: '$ ' }).map((pair) => pair.join('=')),
  ];
  const size = ['-x', String(columns), '-y', String(rows)];
  await tmux('new-session', '-d', ...size, '-c', directory, ...shell, 'bash', '--noprofile', '--norc');
  const seen = ({ colours } = { colours: false }) => tmux('capture-pane', '-p', ...(colours ? ['-e'] : []));
  const type = async (text: string) => void (await tmux('send-keys', '-l', text));
  const press = async (key: string) => void (await tmux('send-keys', key));
  const until = async (what: RegExp) => {
    let last = '';
    try {
      return await waitFor(
        String(what),
        async () => {
          last = await seen();
          return what.test(last) ? last : undefined;
        },
        30_000,
      );
    } catch (error) {
      throw new Error(`${String(error)}; what is seen is:\n${last}`, { cause: error });
    }
  };
  await type(`weir() { '${words[0]}' '${words[1]}' "$@"; }; clear`);
  await press('Enter');
  await until(/^\$\s*$/);
  return {
    type,
    press,
    seen,
    until,
    resize: async (width, height) => void (await tmux('resize-window', '-x', String(width), '-y', String(height))),
    close: async () => {
      await tmux('kill-session');
      // The shell keeps its history as it leaves, in the directory that is removed next.
      await waitFor('the terminal to be gone', () => Promise.resolve(processesOf(directory).length === 0));
    },
  };
}
