import { createCache } from '../core/cache.ts';
import type { Clock } from '../core/time.ts';
import type { Database } from '../db/database.ts';
import { defaultPriority } from '../jobs/admission.ts';
import { takesOf, type Takes, type Ware } from '../instances/account-quota.ts';
import { listAccountQuotas } from '../instances/account-quota-store.ts';
import { longestFor, quotaHoldSeconds, waitOf, type Remembered } from '../instances/shortage.ts';
import { listShortages } from '../instances/shortage-store.ts';
import type { JobSpec } from '../protocol/job-spec.ts';
import type { Offer } from '../protocol/quote.ts';
import type { QueueWait } from '../quotes/options.ts';
import { quotaReason } from '../quotes/reasons.ts';
import type { Capacity } from '../providers/provider.ts';
import type { Capacities } from './capacity.ts';
import { ofAllNodes, quotasOf } from './account-quotas.ts';
import { endOf } from './ends.ts';
import { needOf } from './need.ts';
import { poolOf } from './read-snapshot.ts';
import { hasKind, roomOf, takenBy, type Room } from './room.ts';
import type { PoolQuota } from './snapshot.ts';
import { readActive, readLine, type ActiveRow, type LineRow } from './store.ts';
import { createTimeline, type Timeline } from './timeline.ts';

export type QueueOutlookDeps = {
  db: Database;
  now: Clock;
  /** By provider; undefined for one that does not run out. */
  capacities: () => Promise<Capacities>;
};

type Percentile = 'p50' | 'p90';

/** What is ahead of a tenant's job of one priority, and what that leaves of each provider. */
type View = { ahead: LineRow[]; timelines: Map<string, Timeline> };

/** All that holds capacity or waits for it, as it was at a moment, with what was made out of it so far: many ask the same. */
type Standing = {
  at: number;
  capacities: Capacities;
  active: ActiveRow[];
  line: LineRow[];
  shortages: Remembered[];
  takes: (ware: Ware) => Takes;
  /** By provider and id. */
  quotas: ReadonlyMap<string, ReadonlyMap<string, PoolQuota>>;
  views: Map<string, View>;
};

const standingMs = 1_000;

/** Of longer queues so many are placed: the wait is then at least what is said. */
const mostAhead = 200;

/**
 * How long a job of this tenant would wait for room, were it submitted now: behind what runs, by its expected ends, and behind
 * what waits for nothing but room. Of a provider that does not run out the limits of its account are the room. Of its own queue that is all of at least its priority; of each other tenant's as many jobs as
 * come before it in its own and one more, since tenants take turns. Each is placed in the first gap that it fits. It is a
 * cheaper look than the cycle's forecast, of which it has the order: caps, budgets and preemption are left out.
 */
export function createQueueOutlook({ db, now, capacities }: QueueOutlookDeps) {
  const read = async (): Promise<Standing> => {
    const at = now();
    const [pools, active, line, shortages, accounts] = await Promise.all([
      capacities(),
      readActive(db.client),
      readLine(db.client),
      listShortages(db.client, at),
      listAccountQuotas(db.client, at),
    ]);
    const takes = takesOf(accounts);
    const quotas = new Map(
      accounts.map((account) => [
        account.provider,
        new Map(quotasOf(account, active, takes).quotas.map((quota) => [quota.id, quota])),
      ]),
    );
    return { at: at.getTime(), capacities: pools, active, line, shortages, takes, quotas, views: new Map() };
  };
  const standing = createCache(read, standingMs, now);
  return async (tenantId: string, spec: JobSpec): Promise<QueueWait> => waitIn(await standing.get(''), tenantId, spec);
}

function waitIn(standing: Standing, tenantId: string, spec: JobSpec): QueueWait {
  const { ahead, timelines } = viewOf(standing, tenantId, spec.priority ?? defaultPriority);
  const timelineOf = (around: Omit<Around, 'ahead'>): Timeline => {
    const key = [around.provider, around.percentile, ...around.quotaIds].join(' ');
    const known = timelines.get(key) ?? timelineWith(standing, { ...around, ahead });
    timelines.set(key, known);
    return known;
  };
  return (offer, durationSeconds) => {
    const { provider } = offer;
    const capacity = standing.capacities.get(provider);
    const shortage = waitOf(longestFor(standing.shortages, offer), new Date(standing.at));
    const takes = ofAllNodes(standing.takes(offer), offer.nodes);
    const quotaIds = Object.keys(takes);
    if (capacity === undefined && quotaIds.length === 0) return shortage;
    const need = needOf(spec, offer, capacity ?? endless);
    if (capacity !== undefined && !hasKind(capacity.gpus.kind, need)) return shortage;
    const never = passedBy(offer, takes, standing);
    if (never.length > 0) return { ...shortage, never };
    const wait = (percentile: Percentile): number => {
      const timeline = timelineOf({ provider, capacity, percentile, quotaIds });
      const start = timeline.earliest(takenBy({ need, takes }), durationSeconds[percentile] * 1000);
      if (start !== undefined) return Math.max(0, start - standing.at) / 1000;
      // What a machine never has room for is not feasible, and its option says so. When others give a quota back nobody knows.
      return capacity === undefined ? quotaHoldSeconds[percentile] : 0;
    };
    const p50 = Math.max(shortage.p50, wait('p50'));
    return { p50, p90: Math.max(p50, shortage.p90, wait('p90')) };
  };
}

const endless = { memoryBytes: Infinity, diskBytes: Infinity };

/** The limits of the account that the job passes whatever else is up. */
function passedBy({ provider }: Offer, takes: Takes, { quotas }: Standing): string[] {
  return Object.entries(takes).flatMap(([id, wanted]) => {
    const quota = quotas.get(provider)?.get(id);
    return quota === undefined || wanted <= quota.limit ? [] : [quotaReason({ ...quota, wanted }, provider)];
  });
}

function viewOf({ line, views }: Standing, tenantId: string, priority: number): View {
  const key = `${tenantId} ${priority}`;
  const known = views.get(key) ?? { ahead: aheadOf(line, tenantId, priority), timelines: new Map() };
  views.set(key, known);
  return known;
}

/** Those that come before it, in the order in which the last cycle expected them to start. */
function aheadOf(line: readonly LineRow[], tenantId: string, priority: number): LineRow[] {
  const own = line.filter((row) => row.tenantId === tenantId && row.priority >= priority);
  const others = line.filter((row) => row.tenantId !== tenantId && row.place <= own.length + 1);
  const startOf = ({ eta }: LineRow): number => (eta === null ? Infinity : Date.parse(eta));
  return [...own, ...others]
    .toSorted((a, b) => compare(startOf(a), startOf(b)) || a.queuedAt.getTime() - b.queuedAt.getTime())
    .slice(0, mostAhead);
}

const compare = (a: number, b: number): number => (a === b ? 0 : a < b ? -1 : 1);

type Around = {
  provider: string;
  capacity: Capacity | undefined;
  percentile: Percentile;
  /** Of the limits of the account those that count: most rows take of none of them. */
  quotaIds: readonly string[];
  ahead: LineRow[];
};

function timelineWith(standing: Standing, { provider, capacity, percentile, quotaIds, ahead }: Around): Timeline {
  const { at, active, quotas } = standing;
  const takesOfOffer = (offer: Offer): Takes => {
    const takes = ofAllNodes(standing.takes(offer), offer.nodes);
    return Object.fromEntries(quotaIds.flatMap((id) => (takes[id] === undefined ? [] : [[id, takes[id]]])));
  };
  const matters = (takes: Takes): boolean => capacity !== undefined || Object.keys(takes).length > 0;
  const held = active.filter(({ offer }) => offer.provider === provider);
  const releases = held.flatMap((row) => {
    const takes = takesOfOffer(row.offer);
    // One whose option is not known any more is not known to end.
    if (row.option === null || !matters(takes)) return [];
    return [{ at: endOf(row, row.option, at)[percentile], room: { ...heldBy(row), quotas: takes } }];
  });
  const known = quotas.get(provider);
  const pool = { ...poolOf(provider, capacity, held), quotas: quotaIds.flatMap((id) => known?.get(id) ?? []) };
  const timeline = createTimeline(at, roomOf(pool), releases);
  for (const { spec, option } of ahead) {
    if (option?.offer.provider !== provider) continue;
    const takes = takesOfOffer(option.offer);
    const need = needOf(spec, option.offer, capacity ?? endless);
    if (!matters(takes) || !hasKind(pool.gpus.kind, need)) continue;
    const ms = option.durationSeconds[percentile] * 1000;
    const wanted = takenBy({ need, takes });
    const start = timeline.earliest(wanted, ms);
    if (start !== undefined) timeline.take(wanted, start, ms);
  }
  return timeline;
}

function heldBy({ offer: { nodes }, limits }: ActiveRow): Omit<Room, 'quotas'> {
  return {
    cpus: limits.cpus * nodes,
    memoryBytes: limits.memoryBytes * nodes,
    diskBytes: limits.diskBytes * nodes,
    gpus: limits.gpus.flat().length,
  };
}
