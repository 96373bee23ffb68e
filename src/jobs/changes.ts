import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../db/database.ts';
import type { FollowDeps } from '../logs/follow.ts';
import { anything } from '../logs/wakeups.ts';
import type { Changes } from '../protocol/job.ts';
import { readChanges, readNow, type Change } from './changes-store.ts';

export type Following = {
  /** Whose jobs; null for all. */
  tenantId: string | null;
  /** The number of the last event seen; −1 to begin with what comes next. */
  after: number;
  signal: AbortSignal;
};

/** A submission is not notified of, which would slow it; it is seen by then at the latest. */
const pollMs = 1000;
/** However much happens, a browser is told so often and no oftener. */
const restMs = 250;
const mostChanges = 1000;
/** Whoever was away for longer than so many events reads all anew. */
const mostBehind = 10_000;
/** Events get their numbers before they are committed: among the last so many, lower ones may appear after higher ones. */
const unsettled = 1000;

/** What happens to jobs, and when dispatch has looked at the queue again, in batches. The first says where it begins. */
export async function* followChanges(
  { db, wakeups }: FollowDeps,
  { tenantId, after, signal }: Following,
): AsyncGenerator<Changes[]> {
  const watch = wakeups.watch(anything, ['weir_job', 'weir_round']);
  try {
    let last = await readNow(db);
    const isLost = isTooFarBehind(after, last.seq);
    yield [{ ...last, jobs: [], isPartial: isLost }];
    const readNews = createNews(db, tenantId, after >= 0 && !isLost ? after : last.seq);
    while (!signal.aborted) {
      const now = await readNow(db);
      const news = await readNews(now.seq);
      yield news.length > 0 || now.dispatchedAt !== last.dispatchedAt ? [changesOf(now, news)] : [];
      last = now;
      await sleep(restMs, undefined, { signal }).catch(() => undefined);
      await watch.next(pollMs, signal);
    }
  } finally {
    watch.close();
  }
}

/** The same at once, for who asks again and again. */
export async function listChanges(db: Database, { tenantId, after }: Omit<Following, 'signal'>): Promise<Changes> {
  const now = await readNow(db);
  if (after < 0 || isTooFarBehind(after, now.seq)) return { ...now, jobs: [], isPartial: after >= 0 };
  return changesOf(now, await createNews(db, tenantId, after)(now.seq));
}

function isTooFarBehind(after: number, seq: number): boolean {
  return after >= 0 && after < seq - mostBehind;
}

/** Each job once, as it is now. */
function changesOf(now: Pick<Changes, 'seq' | 'dispatchedAt'>, news: Change[]): Changes {
  const jobs = [...new Map(news.map(({ id, tenant, state }) => [id, { id, tenant, state }])).values()];
  return { ...now, jobs, isPartial: news.length === mostChanges };
}

/** Each change once, from those after `begin` on. To be asked with the number of an event up to which all was there before. */
function createNews(db: Database, tenantId: string | null, begin: number): (until: number) => Promise<Change[]> {
  let seen: Set<number> | undefined;
  let from = begin - unsettled;
  return async (until) => {
    const found = await readChanges(db, { after: from, tenantId, limit: mostChanges + unsettled });
    const known = seen ?? new Set(found.map(({ seq }) => seq).filter((seq) => seq <= begin));
    from = until - unsettled;
    seen = new Set(found.map(({ seq }) => seq).filter((seq) => seq > from));
    return found.filter(({ seq }) => !known.has(seq)).slice(0, mostChanges);
  };
}
