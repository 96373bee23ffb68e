import { keptKinds } from './kept-kinds.ts';
import type { Obstacle } from './obstacles.ts';
import type { Claims } from './preempt.ts';
import type { Reservations } from './reservations.ts';
import { anyKind, hasKind, isWithin, shortQuota, takenBy, tolerance, type Room } from './room.ts';
import type { Choice, Need, QueuedJob } from './snapshot.ts';
import { amountOfKind, type PoolState, type State, type TenantState } from './state.ts';

/** The GPUs that each node would get, where there is room, and what keeps it from that room. */
export type PlaceFor = (
  job: QueuedJob,
  tenant: TenantState,
  choice: Choice,
) => { gpus?: number[][]; lacking: Obstacle[] };

export function createPlaces(state: State, claims: Claims, reservations: Reservations): PlaceFor {
  return (job, tenant, choice) => {
    const pool = state.pools.get(choice.provider);
    const wanted = takenBy(choice);
    const room = claims.unclaimed(choice.provider);
    const gpus = pool !== undefined && isWithin(wanted, room) ? place(choice.need, pool) : undefined;
    if (pool === undefined || gpus === undefined) return { lacking: [lackOf(choice, wanted, room)] };
    const lacking = keptFrom(choice, tenant, { state, pool, room });
    const reservation = reservations.delayedBy(job, tenant, choice);
    if (reservation !== undefined) lacking.push({ code: 'reservation', is: 'reservation', ...reservation });
    return { gpus, lacking };
  };
}

/** 14 The operator's account with a provider has limits: what is left of each is capacity like any other. */
function lackOf(choice: Choice, wanted: Room, room: Room): Obstacle {
  const { provider, need, takes } = choice;
  const id = shortQuota(wanted, room);
  if (id === undefined) return { code: 'capacity', is: 'capacity', provider, need, isComing: false };
  const free = room.quotas[id] ?? 0;
  return { code: 'quota', is: 'account-quota', provider, id, wanted: takes?.[id] ?? 0, free, choice };
}

type Around = { state: State; pool: PoolState; room: Room };

function keptFrom(choice: Choice, tenant: TenantState, { state, pool, room }: Around): Obstacle[] {
  for (const { kind, wanted, kept } of keptKinds(choice, tenant, state)) {
    const free = amountOfKind(pool, room, kind);
    if (free - wanted < kept - tolerance)
      return [{ code: 'quota', is: 'kept', provider: choice.provider, kind, wanted, kept, free }];
  }
  return [];
}

/** The GPUs each node gets, where the pool has the room. All nodes or none. */
function place(need: Need, { gpuKind, freeGpus }: PoolState): number[][] | undefined {
  const { gpus, nodes } = need;
  if (!hasKind(gpuKind, need)) return undefined;
  if (gpuKind === anyKind)
    return Array.from({ length: nodes }, () => Array.from({ length: gpus.count }, (_, index) => index));
  if (gpus.count * nodes > freeGpus.length) return undefined;
  return Array.from({ length: nodes }, (_, node) => freeGpus.slice(node * gpus.count, (node + 1) * gpus.count));
}
