import type { Need, Pool } from './snapshot.ts';

/** Amounts of what a pool has, or of what jobs take of it, all nodes together. */
export type Room = { cpus: number; memoryBytes: number; diskBytes: number; gpus: number };

export const noRoom: Readonly<Room> = { cpus: 0, memoryBytes: 0, diskBytes: 0, gpus: 0 };

export function roomOf({ cpus, memoryBytes, diskBytes, gpus }: Pool): Room {
  return { cpus, memoryBytes, diskBytes, gpus: gpus.kind === anyKind ? Infinity : gpus.free.length };
}

/** Of the GPUs of a pool that never runs out. */
export const anyKind = '';

/** Whether a pool with such GPUs has those that the job needs at all. */
export function hasKind(gpuKind: string, { gpus }: Need): boolean {
  return gpus.count === 0 || gpuKind === anyKind || gpuKind === gpus.kind;
}

export function takenBy({ cpus, memoryBytes, diskBytes, gpus, nodes }: Need): Room {
  return {
    cpus: cpus * nodes,
    memoryBytes: memoryBytes * nodes,
    diskBytes: diskBytes * nodes,
    gpus: gpus.count * nodes,
  };
}

export function plus(a: Room, b: Room): Room {
  return {
    cpus: a.cpus + b.cpus,
    memoryBytes: a.memoryBytes + b.memoryBytes,
    diskBytes: a.diskBytes + b.diskBytes,
    gpus: a.gpus + b.gpus,
  };
}

export function minus(a: Room, b: Room): Room {
  return {
    cpus: a.cpus - b.cpus,
    memoryBytes: a.memoryBytes - b.memoryBytes,
    diskBytes: a.diskBytes - b.diskBytes,
    gpus: a.gpus - b.gpus,
  };
}

/** Cores come in fractions, whose sums are not exact. */
const tolerance = 1e-9;

export function isWithin(wanted: Room, room: Room): boolean {
  return (
    wanted.cpus <= room.cpus + tolerance &&
    wanted.memoryBytes <= room.memoryBytes &&
    wanted.diskBytes <= room.diskBytes &&
    wanted.gpus <= room.gpus
  );
}
