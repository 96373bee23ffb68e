import { isTerminal, say } from './screen.ts';
import { fit } from './width.ts';

/** One line below all others, on a terminal, that says how far something is. Elsewhere it is silent. */
export type StatusLine = {
  set: (text: string) => void;
  /** Prints what stays, above the line. */
  above: (print: () => void) => void;
  clear: () => void;
};

const clearLine = '\r\u001b[2K';

export function createStatusLine(): StatusLine {
  const { stderr } = process;
  if (stderr.isTTY !== true) return { set: () => undefined, above: (print) => print(), clear: () => undefined };
  let shown = '';
  const draw = () => stderr.write(clearLine + fit(shown, (stderr.columns || 80) - 1));
  return {
    set: (text) => {
      if (text === shown) return;
      shown = text;
      draw();
    },
    above: (print) => {
      // What goes to a file or a pipe is not in the line's way.
      if (!isTerminal || shown === '') return print();
      stderr.write(clearLine);
      print();
      draw();
    },
    clear: () => {
      if (shown !== '') stderr.write(clearLine);
      shown = '';
    },
  };
}

/** Says each change on a line of its own where nobody watches a terminal. */
export function createProgressLog(): StatusLine {
  const line = createStatusLine();
  if (process.stderr.isTTY === true) return line;
  let last = '';
  return {
    ...line,
    set: (text) => {
      if (text !== last) say(text);
      last = text;
    },
  };
}
