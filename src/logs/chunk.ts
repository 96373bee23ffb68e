import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { LogLine } from '../protocol/job.ts';
import { maxLogChunkBytes } from '../protocol/limits.ts';
import type { LogRecord } from '../protocol/runner.ts';
import type { Chunk } from './store.ts';

/** A chunk that unpacks to more is not read: a small body may hold gigabytes of zeros. */
export const maxChunkTextBytes = 4 * maxLogChunkBytes;

const inflate = promisify(gunzip);

const streams = { o: 'stdout', e: 'stderr', w: 'weir' } as const satisfies Record<LogRecord['s'], LogLine['stream']>;

/**
 * The lines of a chunk from a number on. Their numbers follow from the chunk's own count, whatever it really holds: lines
 * beyond it are not shown, since their numbers are other lines'.
 */
export async function linesOf(chunk: Chunk, fromSeq: number): Promise<Iterable<LogLine>> {
  const first = Math.max(0, fromSeq - chunk.firstSeq);
  const rows = await unpack(chunk.data);
  if (rows !== undefined) return parseRows(chunk, rows, first);
  const text = `${chunk.lines} lines can't be shown: they came damaged, or unpack to more than ${maxChunkTextBytes} bytes.`;
  return first === 0 ? [lineOf(chunk, 0, { s: 'w', t: text, at: chunk.at.getTime() })] : [];
}

function* parseRows(chunk: Chunk, rows: string[], first: number): Generator<LogLine> {
  const end = Math.min(chunk.lines, rows.length);
  for (let index = first; index < end; index++) yield lineOf(chunk, index, parseRecord(rows[index] ?? '', chunk.at));
}

async function unpack(data: Buffer): Promise<string[] | undefined> {
  try {
    const text = (await inflate(data, { maxOutputLength: maxChunkTextBytes })).toString();
    return text.replace(/\n$/, '').split('\n');
  } catch {
    return undefined;
  }
}

function lineOf({ firstSeq, attempt, node }: Chunk, index: number, { s, t, at }: LogRecord): LogLine {
  return { seq: firstSeq + index, attempt, node, stream: streams[s], text: t, at: new Date(at).toISOString() };
}

/** What is no record is shown as it is. */
function parseRecord(row: string, at: Date): LogRecord {
  const record = parseJson(row) as Partial<Record<keyof LogRecord, unknown>> | null | undefined;
  const { s, t, at: time } = record ?? {};
  if ((s !== 'o' && s !== 'e' && s !== 'w') || typeof t !== 'string') return { s: 'w', t: row, at: at.getTime() };
  const isTime = typeof time === 'number' && !Number.isNaN(new Date(time).getTime());
  return { s, t, at: isTime ? time : at.getTime() };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
