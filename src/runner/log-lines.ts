import { maxLogLineBytes } from '../protocol/limits.ts';

/** A line that goes on for longer is no log: the job is ended. */
export const maxUnbrokenBytes = 32 * 1024 * 1024;

const newline = 0x0a;
const carriageReturn = 0x0d;

/** Cuts a stream of bytes into lines of text, wherever the stream is cut: at `\n`, `\r\n` and `\r`. */
export type LineSplitter = {
  /** The lines that this chunk completes. A line over `maxLogLineBytes` comes in pieces. */
  feed: (chunk: Buffer) => string[];
  /** The last line, where it had no end. */
  end: () => string[];
  /** How long the line is that has not ended. */
  unbrokenBytes: () => number;
};

export function createLineSplitter(): LineSplitter {
  const partial = createPartialLine();
  // A carriage return at a chunk's end may be the first half of a line break.
  let skipsNewline = false;
  let heldCarriageReturn = false;

  const joined = (chunk: Buffer): Buffer => {
    const isSecondHalf = skipsNewline && chunk[0] === newline;
    const whole = isSecondHalf ? chunk.subarray(1) : chunk;
    skipsNewline = false;
    if (!heldCarriageReturn) return whole;
    heldCarriageReturn = false;
    return Buffer.concat([Buffer.of(carriageReturn), whole]);
  };

  return {
    feed: (chunk) => {
      if (chunk.length === 0) return [];
      const data = joined(chunk);
      const end = 1 + Math.max(data.lastIndexOf(newline), data.lastIndexOf(carriageReturn));
      if (end === 0) return partial.add(data);
      const block = partial.take(data.subarray(0, end));
      if (end === data.length && data[end - 1] === carriageReturn) {
        const isEmptyLine =
          block.length === 1 || block[block.length - 2] === newline || block[block.length - 2] === carriageReturn;
        heldCarriageReturn = isEmptyLine;
        skipsNewline = !isEmptyLine;
      }
      const lines = splitBlock(heldCarriageReturn ? block.subarray(0, -1) : block);
      return [...lines, ...partial.add(data.subarray(end))];
    },
    end: () => partial.end(),
    unbrokenBytes: () => partial.lineBytes(),
  };
}

/** The start of a line whose end has not come, given away in pieces when it grows long. */
function createPartialLine() {
  let chunks: Buffer[] = [];
  let heldBytes = 0;
  let lineBytes = 0;
  const take = (end: Buffer): Buffer => {
    const whole = chunks.length === 0 ? end : Buffer.concat([...chunks, end]);
    chunks = [];
    heldBytes = 0;
    lineBytes = 0;
    return whole;
  };
  return {
    take,
    lineBytes: () => lineBytes,
    end: (): string[] => (heldBytes === 0 ? [] : inPieces(take(Buffer.alloc(0)))),
    add: (rest: Buffer): string[] => {
      if (rest.length === 0) return [];
      const total = lineBytes + rest.length;
      chunks.push(rest);
      heldBytes += rest.length;
      lineBytes = total;
      if (heldBytes <= maxLogLineBytes) return [];
      const { pieces, remainder } = cutPieces(take(Buffer.alloc(0)));
      chunks = [Buffer.from(remainder)];
      heldBytes = remainder.length;
      lineBytes = total;
      return pieces.map(toText);
    },
  };
}

/** The lines of a block that ends in a line break. */
function splitBlock(block: Buffer): string[] {
  if (block.length === 0) return [];
  const text = toText(block);
  const lines = block.includes(carriageReturn) ? splitRewrites(text) : text.slice(0, -1).split('\n');
  // A UTF-16 unit is at most three bytes of UTF-8: only long lines need to be measured.
  const isLong = lines.some((line) => line.length * 3 > maxLogLineBytes);
  return isLong ? lines.flatMap((line) => inPieces(Buffer.from(line))) : lines;
}

/** A carriage return alone is how progress bars rewrite their line; an empty rewrite is not shown. */
function splitRewrites(text: string): string[] {
  const lines: string[] = [];
  for (const [, line = '', lineBreak] of text.matchAll(/([^\r\n]*)(\r\n|\n|\r)/g)) {
    if (line !== '' || lineBreak !== '\r') lines.push(line);
  }
  return lines;
}

function inPieces(line: Buffer): string[] {
  const { pieces, remainder } = cutPieces(line);
  return [...pieces, remainder].map(toText);
}

function cutPieces(line: Buffer): { pieces: Buffer[]; remainder: Buffer } {
  const pieces: Buffer[] = [];
  let rest = line;
  while (rest.length > maxLogLineBytes) {
    const cut = characterStart(rest, maxLogLineBytes);
    pieces.push(rest.subarray(0, cut));
    rest = rest.subarray(cut);
  }
  return { pieces, remainder: rest };
}

/** The start of the UTF-8 character that holds this byte. */
function characterStart(bytes: Buffer, index: number): number {
  for (let at = index; at > index - 4; at--) {
    if (((bytes[at] ?? 0) & 0xc0) !== 0x80) return at;
  }
  return index;
}

/** Databases keep no NUL in a text. */
function toText(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  return text.includes('\0') ? text.replaceAll('\0', '\ufffd') : text;
}
