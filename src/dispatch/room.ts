import type { Choice, Need, Pool } from './snapshot.ts';

/**
 * Amounts of what a pool has, or of what jobs take of it, all nodes together. `quotas`: of the limits of the operator's account, by
 * their ids. What a pool does not name does not limit it; what a job does not name it does not take.
 */
export type Room = {
  cpus: number;
  memoryBytes: number;
  diskBytes: number;
  gpus: number;
  quotas: Readonly<Record<string, number>>;
};

const noQuotas: Room['quotas'] = {};

export const noRoom: Readonly<Room> = { cpus: 0, memoryBytes: 0, diskBytes: 0, gpus: 0, quotas: noQuotas };

export function roomOf({ cpus, memoryBytes, diskBytes, gpus, quotas = [] }: Pool): Room {
  return {
    cpus,
    memoryBytes,
    diskBytes,
    gpus: gpus.kind === anyKind ? Infinity : gpus.free.length,
    quotas: quotas.length === 0 ? noQuotas : Object.fromEntries(quotas.map(({ id, free }) => [id, free])),
  };
}

/** Of the GPUs of a pool that never runs out. */
export const anyKind = '';

/** Whether a pool with such GPUs has those that the job needs at all. */
export function hasKind(gpuKind: string, { gpus }: Need): boolean {
  return gpus.count === 0 || gpuKind === anyKind || gpuKind === gpus.kind;
}

export function takenBy({ need, takes = noQuotas }: Pick<Choice, 'need' | 'takes'>): Room {
  const { cpus, memoryBytes, diskBytes, gpus, nodes } = need;
  return {
    cpus: cpus * nodes,
    memoryBytes: memoryBytes * nodes,
    diskBytes: diskBytes * nodes,
    gpus: gpus.count * nodes,
    quotas: takes,
  };
}

/** Room with what is given back to it. */
export function plus(room: Room, given: Room): Room {
  return {
    cpus: room.cpus + given.cpus,
    memoryBytes: room.memoryBytes + given.memoryBytes,
    diskBytes: room.diskBytes + given.diskBytes,
    gpus: room.gpus + given.gpus,
    quotas: changed(room.quotas, given.quotas, 1),
  };
}

/** Room without what is taken of it. */
export function minus(room: Room, taken: Room): Room {
  return {
    cpus: room.cpus - taken.cpus,
    memoryBytes: room.memoryBytes - taken.memoryBytes,
    diskBytes: room.diskBytes - taken.diskBytes,
    gpus: room.gpus - taken.gpus,
    quotas: changed(room.quotas, taken.quotas, -1),
  };
}

/** What several jobs take: where only one of them takes of a quota it is named all the same. */
export function together(a: Room, b: Room, sign: 1 | -1 = 1): Room {
  const of = (name: 'cpus' | 'memoryBytes' | 'diskBytes' | 'gpus') => a[name] + sign * b[name];
  const quotas: Record<string, number> = { ...a.quotas };
  for (const [id, amount] of Object.entries(b.quotas)) quotas[id] = (quotas[id] ?? 0) + sign * amount;
  return { cpus: of('cpus'), memoryBytes: of('memoryBytes'), diskBytes: of('diskBytes'), gpus: of('gpus'), quotas };
}

/** The room with no quotas but those that are wanted: what is left of others does not matter to who wants these. */
export function quotasFor(room: Room, { quotas: wanted }: Room): Room {
  const named = Object.keys(wanted).filter((id) => id in room.quotas);
  return { ...room, quotas: Object.fromEntries(named.map((id) => [id, room.quotas[id] ?? 0])) };
}

function changed(room: Room['quotas'], by: Room['quotas'], sign: 1 | -1): Room['quotas'] {
  let copy: Record<string, number> | undefined;
  for (const id in by)
    if (id in room) {
      copy ??= { ...room };
      copy[id] = (copy[id] ?? 0) + sign * (by[id] ?? 0);
    }
  return copy ?? room;
}

/** Cores come in fractions, whose sums are not exact. */
export const tolerance = 1e-9;

export function isWithin(wanted: Room, room: Room): boolean {
  return (
    wanted.cpus <= room.cpus + tolerance &&
    wanted.memoryBytes <= room.memoryBytes &&
    wanted.diskBytes <= room.diskBytes &&
    wanted.gpus <= room.gpus &&
    shortQuota(wanted, room) === undefined
  );
}

/** The first quota of which the room has less than is wanted. */
export function shortQuota({ quotas: wanted }: Room, { quotas: left }: Room): string | undefined {
  for (const id in wanted) if ((wanted[id] ?? 0) > (left[id] ?? Infinity)) return id;
  return undefined;
}
