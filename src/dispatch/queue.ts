import type { Clock } from '../core/time.ts';
import type { Database } from '../db/database.ts';
import { summaryOf } from '../jobs/summary.ts';
import { readListedJobs } from '../jobs/summary-store.ts';
import type { Queue } from '../protocol/queue.ts';
import { inExpectedOrder, whyAhead, type Named, type Standing, type Waiter } from './ahead.ts';
import { countQueued, readHeads, readNames, readQueueAfter } from './queue-store.ts';
import { readRound } from './record.ts';

export type QueueDeps = { db: Database; now: Clock };

export type QueueRequest = {
  /** Whose queue, in its own order; null: of all tenants those that come next, in the order of their expected starts. */
  tenantId: string | null;
  after: string | undefined;
  limit: number;
};

/** Of each tenant so many places are explained one by one. */
const deepest = 50;

/** The jobs that wait, in order, each with why it is ahead of the next. */
export function createReadQueue({ db, now }: QueueDeps) {
  return async ({ tenantId, after, limit }: QueueRequest): Promise<Omit<Queue, 'nextCursor'> & { lastId?: string }> => {
    const [round, counts] = await Promise.all([readRound(db.client), countQueued(db.client, tenantId)]);
    const standings = round?.standings ?? [];
    const names = await readNames(db.client, [...counts.keys()]);
    const found = await readWaiting(db, { tenantIds: [...counts.keys()], tenantId, after, limit: limit + 1 });
    const ordered = tenantId === null ? inExpectedOrder(found, standings) : found;
    const jobs = await readListedJobs(
      db.client,
      ordered.slice(0, limit).map(({ id }) => id),
      now(),
    );
    const at = now();
    const known: Named = {
      standingOf: (id) => standings.find(({ tenant }) => tenant === id),
      nameOf: (id) => names.get(id) ?? id,
    };
    const isCut = tenantId === null && isDeeper(found, counts);
    const hasMore = tenantId !== null && ordered.length > limit;
    const lastId = jobs.at(-1)?.id;
    return {
      dispatchedAt: round?.at ?? null,
      tenants: [...counts].map(([id, queued]) => queuedTenant(id, { queued, standings, name: known.nameOf(id) })),
      items: jobs.map((job, index) => ({
        job: summaryOf(job, at),
        because: becauseOf(ordered, index, known) ?? (isCut ? unread : null),
      })),
      ...(hasMore && lastId !== undefined ? { lastId } : {}),
    };
  };
}

/** Said where a queue goes on behind what was read of it. */
const unread = 'More wait behind it: the queue of one tenant shows them all.';

/** How much is read of each of so many tenants' queues. */
function lengthOf(tenants: number): number {
  return Math.max(1, Math.min(deepest, Math.floor(1000 / Math.max(1, tenants))));
}

/** Whether more waits than was read. */
function isDeeper(found: readonly Found[], counts: Map<string, number>): boolean {
  const length = lengthOf(counts.size);
  return found.some(({ tenantId, place }) => place === length && (counts.get(tenantId) ?? 0) > length);
}

type Found = Waiter & { id: string; place: number };

async function readWaiting(
  { client }: Database,
  { tenantIds, tenantId, after, limit }: QueueRequest & { tenantIds: string[] },
): Promise<Found[]> {
  if (tenantId === null) {
    return readHeads(client, tenantIds, lengthOf(tenantIds.length));
  }
  if (after === undefined) return readHeads(client, [tenantId], limit);
  const rows = await readQueueAfter(client, { tenantId, after, take: limit });
  return rows.map((row) => ({ ...row, place: 0 }));
}

function becauseOf(ordered: readonly Found[], index: number, known: Named): string | null {
  const [job, next] = [ordered[index], ordered[index + 1]];
  return job === undefined || next === undefined ? null : whyAhead(job, next, known);
}

type Counted = { queued: number; standings: readonly Standing[]; name: string };

function queuedTenant(id: string, { queued, standings, name }: Counted): Queue['tenants'][number] {
  const turn = standings.findIndex(({ tenant }) => tenant === id);
  const standing = standings[turn];
  return {
    tenant: { id, name },
    queued,
    turn: standing === undefined ? null : turn + 1,
    isGuaranteed: standing?.isGuaranteed ?? null,
    usePerWeight: standing?.usePerWeight ?? null,
  };
}
