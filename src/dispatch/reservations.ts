import { countOf, isCounted, mostOf, usedOf, type Exceeded } from './exceeded.ts';
import { hasKind, isWithin, minus, plus, quotasFor, shortQuota, takenBy, type Room } from './room.ts';
import type { Choice, QueuedJob, RunningJob } from './snapshot.ts';
import { couldEverTake, type State, type TenantState } from './state.ts';

/** A job that waits, the time at which it is expected to start at the latest, and whose what it waits for is. */
export type Reservation = { jobId: string; tenantId: string; startsAt: number };

/** `spare`: what it leaves over at its start. */
type RoomHold = Reservation & { spare: Room };
type LimitHold = Reservation & Pick<Exceeded, 'limit' | 'kind'> & { spare: number };

/** What jobs that wait hold in one round of decisions: of each provider, and of each limit of a tenant. */
export type Reservations = {
  /** The first that this start would put off; its p90 end is compared. */
  delayedBy: (choice: Choice, tenant: TenantState) => Reservation | undefined;
  /** Reserves of the provider, unless an earlier job does. */
  reserveRoom: (job: QueuedJob, choice: Choice) => Reservation | undefined;
  /** Reserves of the limits that its start would pass, unless an earlier job does. */
  reserveLimits: (job: QueuedJob, choice: Choice, passed: Exceeded[]) => Reservation | undefined;
  /** To be called for each start: one that ends late uses what the reservations leave over. */
  count: (choice: Choice, tenant: TenantState) => void;
};

export function createReservations(state: State, runningOf: RunningOf): Reservations {
  /** Of each provider: one for its room, and one for each quota that a job lacks. */
  const rooms = new Map<string, Map<string, RoomHold>>();
  const limits = new Map<string, LimitHold[]>();
  const limitsOf = (choice: Choice, { lineage }: TenantState) =>
    limits.size === 0
      ? []
      : lineage.flatMap(({ id }) => (limits.get(id) ?? []).filter(({ limit, kind }) => isCounted(choice, limit, kind)));
  const isLate = ({ durationMs }: Choice, { startsAt }: Reservation) => state.now + durationMs.p90 > startsAt;
  return {
    delayedBy: (choice, tenant) => {
      for (const room of rooms.get(choice.provider)?.values() ?? [])
        if (isLate(choice, room) && !isWithin(takenBy(choice), room.spare)) return room;
      return limitsOf(choice, tenant).find((hold) => isLate(choice, hold) && countOf(choice, hold.limit) > hold.spare);
    },
    reserveRoom: (job, choice) => {
      const held = rooms.get(choice.provider) ?? new Map<string, RoomHold>();
      const lacked = lackedBy(choice, state);
      if (held.has(lacked)) return undefined;
      const hold = holdFor(job, choice, state, runningOf);
      if (hold !== undefined) rooms.set(choice.provider, held.set(lacked, hold));
      return hold;
    },
    reserveLimits: (job, choice, passed) => {
      const holds = passed.map((limit) => limitFor(job, choice, limit, { state, runningOf }));
      const [first] = holds;
      if (first === undefined || holds.includes(undefined)) return undefined;
      for (const [index, { tenantId }] of passed.entries()) {
        const held = limits.get(tenantId) ?? [];
        const hold = holds[index];
        const isHeld = held.some(({ limit, kind }) => limit === hold?.limit && kind === hold.kind);
        if (hold !== undefined && !isHeld) limits.set(tenantId, [...held, hold]);
      }
      return first;
    },
    count: (choice, tenant) => {
      for (const room of rooms.get(choice.provider)?.values() ?? [])
        if (isLate(choice, room)) room.spare = minus(room.spare, takenBy(choice));
      for (const hold of limitsOf(choice, tenant)) if (isLate(choice, hold)) hold.spare -= countOf(choice, hold.limit);
    },
  };
}

/** The running jobs of a provider, or of a tenant and those below it: those that end first, by their p90, are first. */
export type RunningOf = {
  provider: (name: string) => RunningJob[];
  tenant: (id: string) => RunningJob[];
};

export function createRunningOf({ running, tenants }: State): RunningOf {
  const index = (keysOf: (job: RunningJob) => string[]) => {
    let sizeAtRead = -1;
    const byKey = new Map<string, RunningJob[]>();
    return (key: string): RunningJob[] => {
      // Only starts change a round's running jobs: they add, and nothing leaves.
      if (sizeAtRead !== running.size) {
        byKey.clear();
        for (const job of running.values())
          for (const each of keysOf(job)) {
            const known = byKey.get(each);
            if (known === undefined) byKey.set(each, [job]);
            else known.push(job);
          }
        sizeAtRead = running.size;
      }
      return (byKey.get(key) ?? []).toSorted((a, b) => a.endsAt.p90 - b.endsAt.p90);
    };
  };
  return {
    provider: index(({ choice }) => [choice.provider]),
    tenant: index(({ tenantId }) => tenants.get(tenantId)?.lineage.map(({ id }) => id) ?? [tenantId]),
  };
}

/** The quota that the choice lacks; '' where it lacks what the provider itself has. */
function lackedBy(choice: Choice, { pools }: State): string {
  const room = pools.get(choice.provider)?.room;
  return (room && shortQuota(takenBy(choice), room)) ?? '';
}

function holdFor(job: QueuedJob, choice: Choice, state: State, runningOf: RunningOf): RoomHold | undefined {
  const pool = state.pools.get(choice.provider);
  if (pool === undefined || !hasKind(pool.gpuKind, choice.need) || !couldEverTake(pool, choice)) return undefined;
  const wanted = takenBy(choice);
  let room = quotasFor(pool.room, wanted);
  let startsAt: number | undefined;
  for (const { choice: ended, endsAt } of runningOf.provider(choice.provider)) {
    const at = Math.max(state.now, endsAt.p90);
    // What ends at one moment is free together.
    if (startsAt !== undefined && at > startsAt) break;
    room = plus(room, takenBy(ended));
    if (isWithin(wanted, room)) startsAt = at;
  }
  if (startsAt === undefined) return undefined;
  return { jobId: job.id, tenantId: job.tenantId, startsAt, spare: minus(room, wanted) };
}

type Around = { state: State; runningOf: RunningOf };

function limitFor(
  job: QueuedJob,
  choice: Choice,
  { tenantId, limit, kind }: Exceeded,
  { state, runningOf }: Around,
): LimitHold | undefined {
  const tenant = state.tenants.get(tenantId);
  if (tenant === undefined) return undefined;
  let spare = mostOf(tenant, limit, kind) - usedOf(tenant, limit, kind) - countOf(choice, limit);
  let startsAt: number | undefined;
  for (const { choice: ended, endsAt } of runningOf.tenant(tenantId)) {
    const at = Math.max(state.now, endsAt.p90);
    if (startsAt !== undefined && at > startsAt) break;
    if (!isCounted(ended, limit, kind)) continue;
    spare += countOf(ended, limit);
    if (spare >= 0) startsAt = at;
  }
  return startsAt === undefined ? undefined : { jobId: job.id, tenantId: job.tenantId, limit, kind, spare, startsAt };
}
