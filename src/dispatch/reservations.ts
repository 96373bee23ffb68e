import { countOf, isCounted, isGuaranteedWithin, mostOf, usedOf, type Exceeded } from './exceeded.ts';
import { keptKinds, takenKinds } from './kept-kinds.ts';
import { isOfCapacity, type Obstacle } from './obstacles.ts';
import { hasKind, isWithin, minus, plus, quotasFor, shortQuota, takenBy, tolerance, type Room } from './room.ts';
import type { Choice, QueuedJob, RunningJob } from './snapshot.ts';
import { amountOfKind, couldEverTake, type PoolState, type State, type TenantState } from './state.ts';

/** A job that waits, the time at which it is expected to start at the latest, and whose what it waits for is. */
export type Reservation = { jobId: string; tenantId: string; startsAt: number };

/** `yields`: made before its turn, it holds nothing from those who are guaranteed what they ask for. */
type Hold = Reservation & { yields: boolean };
/** `spare`: what it leaves over at its start, of the room and, for those who are not guaranteed it, of a kind. */
type RoomHold = Hold & { spare: Room; spareOfKind: Map<string, number> };
type LimitHold = Hold & Pick<Exceeded, 'limit' | 'kind'> & { of: string; spare: number };

/** `rooms`: of each provider one for its room, and one for each quota that a job lacks. `limits`: by tenant. */
type Holds = { rooms: Map<string, Map<string, RoomHold>>; limits: Map<string, LimitHold[]> };

/** What jobs that wait hold in one round of decisions: of each provider, and of each limit of a tenant. */
export type Reservations = {
  /** The first of another job that this start would put off; its p90 end is compared. */
  delayedBy: (job: QueuedJob, tenant: TenantState, choice: Choice) => Reservation | undefined;
  /** Reserves all that is in its way, from when the last of it is there; nothing where an earlier job has some of it. */
  reserve: (
    job: QueuedJob,
    tenant: TenantState,
    choice: Choice,
    obstacles: readonly Obstacle[],
  ) => Reservation | undefined;
  /** To be called for whoever starts, or has others make way for it. */
  drop: (jobId: string) => void;
  /** To be called for each start: one that ends late uses what the reservations leave over. */
  count: (choice: Choice, tenant: TenantState) => void;
  /** Whether the provider would have the room, were nothing at work. */
  couldEver: (choice: Choice, tenant: TenantState) => boolean;
};

export function createReservations(
  state: State,
  endings: Endings,
  claimed: (provider: string) => readonly Choice[],
): Reservations {
  const holds: Holds = { rooms: new Map(), limits: new Map() };
  const { rooms, limits } = holds;
  const around = { state, endings, claimed, wholes: new Map<string, Room>() };
  const limitsOf = (choice: Choice, { lineage }: TenantState) =>
    limits.size === 0
      ? []
      : lineage.flatMap(({ id }) => (limits.get(id) ?? []).filter(({ limit, kind }) => isCounted(choice, limit, kind)));
  const isLate = ({ durationMs }: Choice, { startsAt }: Reservation) => state.now + durationMs.p90 > startsAt;
  const isTaken = (lacked: string | undefined, choice: Choice, passed: Exceeded[]) =>
    (lacked !== undefined && rooms.get(choice.provider)?.has(lacked) === true) ||
    passed.some(({ tenantId, limit, kind }) =>
      limits.get(tenantId)?.some((held) => held.limit === limit && held.kind === kind),
    );
  const isShort = (choice: Choice, tenant: TenantState, { spare, spareOfKind }: RoomHold) =>
    !isWithin(takenBy(choice), spare) ||
    (spareOfKind.size > 0 &&
      keptKinds(choice, tenant, state).some(({ kind, wanted }) => wanted > (spareOfKind.get(kind) ?? Infinity)));

  return {
    delayedBy: ({ id }, tenant, choice) => {
      const isGuaranteed = isGuaranteedWithin(tenant.lineage, choice);
      const isPutOff = (hold: Hold) => hold.jobId !== id && !(hold.yields && isGuaranteed) && isLate(choice, hold);
      for (const room of rooms.get(choice.provider)?.values() ?? [])
        if (isPutOff(room) && isShort(choice, tenant, room)) return room;
      return limitsOf(choice, tenant).find(
        (hold) => isPutOff(hold) && countOf(choice, hold.limit) > hold.spare + tolerance,
      );
    },
    reserve: (job, tenant, choice, obstacles) => {
      const lacked = obstacles.some(isOfCapacity) ? lackedBy(choice, state) : undefined;
      const passed = obstacles.filter((obstacle): obstacle is Exceeded => obstacle.is === 'limit');
      if (isTaken(lacked, choice, passed)) return undefined;
      const holdsFrom = (notBefore: number) => [
        ...(lacked === undefined ? [] : [roomHold(job, tenant, choice, { ...around, notBefore })]),
        ...passed.map((limit) => limitHold(job, choice, limit, { ...around, notBefore })),
      ];
      const first = holdsFrom(state.now);
      if (first.length === 0 || first.includes(undefined)) return undefined;
      const startsAt = Math.max(...first.flatMap((hold) => hold?.startsAt ?? []));
      for (const hold of first.length === 1 ? first : holdsFrom(startsAt)) {
        if (hold === undefined) continue;
        hold.startsAt = startsAt;
        keep(hold, { provider: choice.provider, lacked: lacked ?? '' }, holds);
      }
      return { jobId: job.id, tenantId: job.tenantId, startsAt };
    },
    drop: (jobId) => drop(jobId, holds),
    count: (choice, tenant) => {
      for (const room of rooms.get(choice.provider)?.values() ?? []) if (isLate(choice, room)) useSpare(room, choice);
      for (const hold of limitsOf(choice, tenant)) if (isLate(choice, hold)) hold.spare -= countOf(choice, hold.limit);
    },
    couldEver: (choice, tenant) => couldEver(choice, tenant, around),
  };
}

function keep(
  hold: RoomHold | LimitHold,
  { provider, lacked }: { provider: string; lacked: string },
  { rooms, limits }: Holds,
) {
  if ('limit' in hold) limits.set(hold.of, [...(limits.get(hold.of) ?? []), hold]);
  else rooms.set(provider, (rooms.get(provider) ?? new Map<string, RoomHold>()).set(lacked, hold));
}

function drop(jobId: string, { rooms, limits }: Holds): void {
  for (const held of rooms.values()) for (const [key, hold] of held) if (hold.jobId === jobId) held.delete(key);
  for (const [id, held] of limits)
    limits.set(
      id,
      held.filter((hold) => hold.jobId !== jobId),
    );
}

function useSpare(room: RoomHold, choice: Choice): void {
  room.spare = minus(room.spare, takenBy(choice));
  for (const { kind, wanted } of takenKinds(choice)) {
    const spare = room.spareOfKind.get(kind);
    if (spare !== undefined) room.spareOfKind.set(kind, spare - wanted);
  }
}

/** A running job's choice, and when it is expected to have ended at the latest. */
type Ending = { choice: Choice; at: number };

/** Of a provider, or of a tenant and those below it: those that end first are first. */
export type Endings = {
  provider: (name: string) => readonly Ending[];
  tenant: (id: string) => readonly Ending[];
};

export function createEndings({ running, tenants, now }: State): Endings {
  const index = (keysOf: (job: RunningJob) => string[]) => {
    let sizeAtRead = -1;
    let byKey = new Map<string, Ending[]>();
    const sorted = new Map<string, readonly Ending[]>();
    return (key: string): readonly Ending[] => {
      // Only starts change a round's running jobs: they add, and nothing leaves.
      if (sizeAtRead !== running.size) {
        byKey = new Map();
        for (const job of running.values())
          for (const each of keysOf(job)) {
            const known = byKey.get(each);
            const ending = { choice: job.choice, at: latestEnd(job, now) };
            if (known === undefined) byKey.set(each, [ending]);
            else known.push(ending);
          }
        sizeAtRead = running.size;
        sorted.clear();
      }
      const known = sorted.get(key) ?? (byKey.get(key) ?? []).toSorted((a, b) => a.at - b.at);
      sorted.set(key, known);
      return known;
    };
  };
  return {
    provider: index(({ choice }) => [choice.provider]),
    tenant: index(({ tenantId }) => tenants.get(tenantId)?.lineage.map(({ id }) => id) ?? [tenantId]),
  };
}

const shortestMs = 1_000;

/**
 * A job that has run past its p90 is expected to run as long again, and again: so that it does not hold back all that would end after
 * this moment, for as long as it takes. Tsafrir, Etsion, Feitelson 2007 correct expired predictions in such steps.
 */
export function latestEnd({ startedAt, endsAt, choice }: RunningJob, now: number): number {
  if (endsAt.p90 > now) return endsAt.p90;
  const from = startedAt ?? endsAt.p90 - choice.durationMs.p90;
  const length = Math.max(shortestMs, endsAt.p90 - from);
  const doublings = Math.floor(Math.log2(Math.max(1, (now - from) / length))) + 1;
  return from + length * 2 ** doublings;
}

/** The quota that the choice lacks; '' where it lacks what the provider itself has. */
function lackedBy(choice: Choice, { pools }: State): string {
  const room = pools.get(choice.provider)?.room;
  return (room && shortQuota(takenBy(choice), room)) ?? '';
}

type Around = {
  state: State;
  endings: Endings;
  claimed: (provider: string) => readonly Choice[];
  /** Of each provider that was asked about, all that there is: a start does not change it. */
  wholes: Map<string, Room>;
};
/** `notBefore`: when the rest of what it waits for will be there. */
type From = Around & { notBefore: number };

function roomHold(
  job: QueuedJob,
  tenant: TenantState,
  choice: Choice,
  { notBefore, ...around }: From,
): RoomHold | undefined {
  const { state, endings, claimed } = around;
  const pool = state.pools.get(choice.provider);
  if (pool === undefined || !couldEver(choice, tenant, around)) return undefined;
  const wanted = takenBy(choice);
  const claims = claimed(choice.provider);
  const ends = [
    ...endings.provider(choice.provider),
    ...claims.map((each) => ({ choice: each, at: state.now + each.durationMs.p90 })),
  ];
  const kept = keptKinds(choice, tenant, state);
  const taken = claims.reduce((sum, each) => minus(sum, takenBy(each)), pool.room);
  let room = quotasFor(taken, wanted);
  let spareOfKind = kept.map(({ kind, ...of }) => amountOfKind(pool, taken, kind) - of.wanted - of.kept);
  let startsAt: number | undefined;
  for (const { choice: ended, at } of claims.length === 0 ? ends : ends.toSorted((a, b) => a.at - b.at)) {
    // What ends at one moment is free together.
    if (startsAt !== undefined && at > Math.max(startsAt, notBefore)) break;
    const given = takenBy(ended);
    room = plus(room, given);
    spareOfKind = spareOfKind.map((spare, index) => spare + amountOfKind(pool, given, kept[index]?.kind ?? ''));
    if (startsAt === undefined && isWithin(wanted, room) && spareOfKind.every((spare) => spare >= -tolerance))
      startsAt = at;
  }
  if (startsAt === undefined) return undefined;
  return {
    ...holdOf(job, tenant, choice, startsAt),
    spare: minus(room, wanted),
    spareOfKind: new Map(kept.map(({ kind }, index) => [kind, spareOfKind[index] ?? 0])),
  };
}

function holdOf(
  { id, tenantId, hasReservation }: QueuedJob,
  { lineage }: TenantState,
  choice: Choice,
  startsAt: number,
): Hold {
  return { jobId: id, tenantId, startsAt, yields: hasReservation === true && !isGuaranteedWithin(lineage, choice) };
}

function wholeOf(pool: PoolState, { endings, wholes }: Around): Room {
  const known = wholes.get(pool.provider);
  if (known !== undefined) return known;
  const whole = endings.provider(pool.provider).reduce((sum, { choice }) => plus(sum, takenBy(choice)), pool.room);
  wholes.set(pool.provider, whole);
  return whole;
}

function couldEver(choice: Choice, tenant: TenantState, around: Around): boolean {
  const { state } = around;
  const pool = state.pools.get(choice.provider);
  if (pool === undefined || !hasKind(pool.gpuKind, choice.need) || !couldEverTake(pool, choice)) return false;
  const whole = wholeOf(pool, around);
  return (
    isWithin({ ...takenBy(choice), quotas: {} }, whole) &&
    keptKinds(choice, tenant, state).every(({ kind, wanted, kept }) => {
      // Of what a quota says, others may hold some: that comes back in the end.
      if (pool.wholeKinds.has(kind)) return true;
      return wanted + kept <= amountOfKind(pool, whole, kind) + tolerance;
    })
  );
}

function limitHold(
  job: QueuedJob,
  choice: Choice,
  { tenantId: of, limit, kind }: Exceeded,
  { state, endings, notBefore }: From,
): LimitHold | undefined {
  const [tenant, limited] = [state.tenants.get(job.tenantId), state.tenants.get(of)];
  if (tenant === undefined || limited === undefined) return undefined;
  let spare = mostOf(limited, limit, kind) - usedOf(limited, limit, kind) - countOf(choice, limit);
  let startsAt: number | undefined;
  for (const { choice: ended, at } of endings.tenant(of)) {
    if (startsAt !== undefined && at > Math.max(startsAt, notBefore)) break;
    if (!isCounted(ended, limit, kind)) continue;
    spare += countOf(ended, limit);
    if (startsAt === undefined && spare >= -tolerance) startsAt = at;
  }
  if (startsAt === undefined) return undefined;
  return { ...holdOf(job, tenant, choice, startsAt), of, limit, kind, spare };
}
