import type { Database } from '../db/database.ts';
import type { JobEvent, LogLine } from '../protocol/job.ts';
import { readLines, type LogDeps } from './read.ts';
import { readEvents, readHead } from './store.ts';
import type { Wakeups } from './wakeups.ts';

export type FollowDeps = LogDeps & { wakeups: Wakeups };

export type Following = {
  jobId: string;
  /** The number of the last line or event already seen; −1 for none. */
  after: number;
  signal: AbortSignal;
};

/** A notification that was lost delays by no more than this. */
const pollMs = 1000;

/**
 * The lines of a job as they come, in batches, until the job has ended and all is read. An empty batch says that all there was
 * has been read.
 */
export async function* followLines(
  { db, bucket, wakeups }: FollowDeps,
  { jobId, after, signal }: Following,
): AsyncGenerator<LogLine[]> {
  const watch = wakeups.watch(jobId, ['weir_log', 'weir_job']);
  try {
    let next = after + 1;
    while (!signal.aborted) {
      const head = await readHead(db, jobId);
      if (head === undefined) return;
      yield* readLines({ db, bucket }, jobId, { fromSeq: next, untilSeq: head.nextSeq });
      next = Math.max(next, head.nextSeq);
      if (head.isEnded) return;
      yield [];
      await watch.next(pollMs, signal);
    }
  } finally {
    watch.close();
  }
}

const maxEventsRead = 1000;

/** The same for a job's events. */
export async function* followEvents(
  { db, wakeups }: Omit<FollowDeps, 'bucket'>,
  { jobId, after, signal }: Following,
): AsyncGenerator<JobEvent[]> {
  const watch = wakeups.watch(jobId, ['weir_job']);
  const sent = new Set<number>();
  try {
    while (!signal.aborted) {
      const head = await readHead(db, jobId);
      if (head === undefined) return;
      yield* unsentEvents(db, { jobId, after }, sent);
      if (head.isEnded) return;
      yield [];
      await watch.next(pollMs, signal);
    }
  } finally {
    watch.close();
  }
}

/**
 * Events get their numbers before they are committed, so a lower one may appear after a higher one: all since the start are
 * looked at again. A job has few.
 */
async function* unsentEvents(
  db: Database,
  { jobId, after }: Omit<Following, 'signal'>,
  sent: Set<number>,
): AsyncGenerator<JobEvent[]> {
  for (let from = after; ;) {
    const events = await readEvents(db, jobId, from, maxEventsRead);
    const unsent = events.filter(({ seq }) => !sent.has(seq));
    for (const { seq } of unsent) sent.add(seq);
    if (unsent.length > 0) yield unsent;
    if (events.length < maxEventsRead) return;
    from = events.at(-1)?.seq ?? from;
  }
}
