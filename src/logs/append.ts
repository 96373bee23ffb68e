import { invalid } from '../core/errors.ts';
import type { Clock } from '../core/time.ts';
import type { Database } from '../db/database.ts';
import type { LogChunk } from '../protocol/runner.ts';
import { maxChunkTextBytes } from './chunk.ts';
import { insertChunk } from './store.ts';

/** Who writes: a node of an attempt, past the fence. */
export type Writer = { instance: { node: number }; job: { id: string } };

/** `{"s":"o","t":"","at":0}` and its end of line. */
const minRecordBytes = 24;
/** What DEFLATE can make of a byte at most. */
const maxRatio = 1032;

export type Append = (writer: Writer, chunk: LogChunk, data: Buffer) => Promise<void>;

/** Takes a chunk as the runner gzipped it. Delivered twice, it is stored once. */
export function createAppend(db: Database, now: Clock): Append {
  return async ({ instance, job }, { attempt, firstLine, lines }, data) => {
    if (data[0] !== 0x1f || data[1] !== 0x8b)
      throw invalid('', 'The body is not gzip; send gzip of one JSON object a line.');
    const maxLines = Math.min(data.length * maxRatio, maxChunkTextBytes) / minRecordBytes;
    if (lines > maxLines) throw invalid('?lines', `A body of ${data.length} bytes can't hold ${lines} lines.`);
    await insertChunk(db, { jobId: job.id, attempt, node: instance.node, firstLine, lines, at: now(), data });
  };
}
