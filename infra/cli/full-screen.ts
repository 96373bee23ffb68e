import { emitKeypressEvents, type Key } from 'node:readline';
import {
  cursorHide,
  cursorShow,
  cursorTo,
  enterAlternativeScreen,
  eraseDown,
  eraseEndLine,
  exitAlternativeScreen,
} from 'ansi-escapes';

export type FullScreen = {
  draw: (lines: readonly string[]) => void;
  size: () => { columns: number; rows: number };
  /** Gives the terminal back as it was. */
  leave: () => void;
};

/** Takes the whole terminal, until `leave` or the end of the process, however that comes. */
export function openFullScreen(on: { key: (name: string) => void; resize: () => void }): FullScreen {
  const { stdin, stdout } = process;
  const press = (_text: string | undefined, { name = '', ctrl }: Key) => on.key(ctrl === true ? `ctrl-${name}` : name);
  const restore = () => stdout.write(cursorShow + exitAlternativeScreen);
  stdout.write(enterAlternativeScreen + cursorHide);
  process.on('exit', restore);
  stdout.on('resize', on.resize);
  if (stdin.isTTY === true) {
    emitKeypressEvents(stdin);
    stdin.setRawMode(true).resume().on('keypress', press);
  }
  return {
    draw: (lines) => {
      const text = lines.map((line) => line + eraseEndLine).join('\r\n');
      stdout.write(cursorTo(0, 0) + text + eraseDown);
    },
    size: () => ({ columns: stdout.columns || 80, rows: stdout.rows || 24 }),
    leave: () => {
      stdout.off('resize', on.resize);
      if (stdin.isTTY === true) stdin.off('keypress', press).setRawMode(false).pause();
      process.off('exit', restore);
      restore();
    },
  };
}
