import sliceAnsi from 'slice-ansi';
import stringWidth from 'string-width';

/** How many columns of a terminal a text takes: two for what is wide, none for colours. */
export function widthOf(text: string): number {
  // Nearly all texts are plain: then it is their length, and need not be measured.
  return isPlain(text) ? text.length : stringWidth(text);
}

/** The text, or its beginning and `…`, in so many columns. */
export function fit(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  if (columns < 1) return '';
  return `${beginning(text, columns - 1)}…`;
}

function beginning(text: string, columns: number): string {
  if (isPlain(text)) return text.slice(0, columns);
  const cut = sliceAnsi(text, 0, columns);
  // A wide letter on the edge is left in whole.
  return widthOf(cut) > columns ? sliceAnsi(text, 0, columns - 1) : cut;
}

function isPlain(text: string): boolean {
  return /^[\u0020-\u007e]*$/.test(text);
}

export function padEnd(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - widthOf(text)));
}

export function padStart(text: string, columns: number): string {
  return ' '.repeat(Math.max(0, columns - widthOf(text))) + text;
}
