import { gzipSync } from 'node:zlib';
import { newId } from '../../src/core/ids.ts';
import type { Database } from '../../src/db/database.ts';
import { createAppend } from '../../src/logs/append.ts';
import type { JobState } from '../../src/protocol/job.ts';
import type { LogRecord } from '../../src/protocol/runner.ts';
import { recordEvent } from '../../src/jobs/move-store.ts';

/** Of lines that are still in rows, nothing is read from a bucket. */
export const noBucket = { read: () => Promise.reject(new Error('These lines lie in no bucket.')) };

export const at = new Date('2026-11-10T12:00:00Z');

export async function insertJob(db: Database, { tenantId = newId('tenant'), state = 'running' as JobState } = {}) {
  const id = newId('job');
  const times = { createdAt: at, queuedAt: at };
  await db.client.job.create({
    data: {
      id,
      tenantId,
      name: 'run',
      state,
      spec: {},
      quoteId: newId('quote'),
      options: [],
      priority: 50,
      attemptNumber: 1,
      ...times,
    },
  });
  return { id, tenantId };
}

export async function endJob(db: Database, jobId: string): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.job.update({ where: { id: jobId }, data: { state: 'succeeded' } });
    const event = {
      jobId,
      at,
      type: 'job.succeeded',
      attempt: 1,
      from: 'stopping',
      to: 'succeeded',
      reason: 'completed',
      message: 'Done.',
    } as const;
    await recordEvent(tx, event);
  });
}

export function pack(texts: string[], s: LogRecord['s'] = 'o'): Buffer {
  return gzipSync(texts.map((t) => `${JSON.stringify({ s, t, at: at.getTime() })}\n`).join(''));
}

export function numbered(from: number, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `line ${from + index}`);
}

/** As one node of one attempt: appends lines after those it appended before. */
export function writerOf(db: Database, jobId: string, { attempt = 1, node = 0 } = {}) {
  const append = createAppend(db, () => at);
  let firstLine = 0;
  return async (texts: string[]): Promise<void> => {
    await append({ instance: { node }, job: { id: jobId } }, { attempt, firstLine, lines: texts.length }, pack(texts));
    firstLine += texts.length;
  };
}
