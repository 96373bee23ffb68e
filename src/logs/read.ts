import type { Bucket } from '../artifacts/bucket.ts';
import type { Database } from '../db/database.ts';
import type { LogLine } from '../protocol/job.ts';
import { linesOf } from './chunk.ts';
import { readChunks, type Chunk, type StoredChunk } from './store.ts';

const maxBatchLines = 500;

export type LogDeps = { db: Database; bucket: Pick<Bucket, 'read'> };

export type Lines = { fromSeq: number; /** The number after the last. */ untilSeq: number };

/** The lines of a job, in batches, one chunk in memory at a time. */
export async function* readLines(
  { db, bucket }: LogDeps,
  jobId: string,
  { fromSeq, untilSeq }: Lines,
): AsyncGenerator<LogLine[]> {
  let next = fromSeq;
  while (next < untilSeq) {
    const chunks = await readChunks(db, jobId, next);
    const last = chunks.at(-1);
    if (last === undefined) return;
    for (const stored of chunks) {
      const chunk = await fetched(bucket, stored);
      let batch: LogLine[] = [];
      for (const line of await linesOf(chunk, next)) {
        if (line.seq >= untilSeq) break;
        batch.push(line);
        if (batch.length < maxBatchLines) continue;
        yield batch;
        batch = [];
      }
      if (batch.length > 0) yield batch;
    }
    next = last.firstSeq + last.lines;
  }
}

/** At most `limit` lines from a number on. */
export async function readSomeLines(deps: LogDeps, jobId: string, fromSeq: number, limit: number): Promise<LogLine[]> {
  const lines: LogLine[] = [];
  for await (const batch of readLines(deps, jobId, { fromSeq, untilSeq: Number.MAX_SAFE_INTEGER })) {
    lines.push(...batch);
    if (lines.length >= limit) break;
  }
  return lines.slice(0, limit);
}

async function fetched(bucket: LogDeps['bucket'], chunk: StoredChunk): Promise<Chunk> {
  return chunk.object === null ? chunk : { ...chunk, data: await bucket.read(chunk.object.key, chunk.object) };
}
