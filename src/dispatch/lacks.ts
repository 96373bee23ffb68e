import { countOf, exceeded, isCounted } from './exceeded.ts';
import type { Kept } from './kept.ts';
import { keptKinds } from './kept-kinds.ts';
import { takenBy, tolerance, type Room } from './room.ts';
import type { Choice, Need, RunningJob } from './snapshot.ts';
import { amountOfKind, type State, type TenantState } from './state.ts';

/** What a start lacks of one thing, and how much of it a running job gives back at its end. */
export type Lack = { amount: number; givenBy: (job: RunningJob) => number };

/** `room`: what there will be of the provider once those that are `ending` have ended. */
export type Outlook = {
  state: State;
  room: Room;
  kept: Pick<Kept, 'isAny' | 'forOthers'>;
  ending: readonly RunningJob[];
};

const amounts = {
  cpus: ({ cpus, nodes }: Need) => cpus * nodes,
  memoryBytes: ({ memoryBytes, nodes }: Need) => memoryBytes * nodes,
  diskBytes: ({ diskBytes, nodes }: Need) => diskBytes * nodes,
  gpus: ({ gpus, nodes }: Need) => gpus.count * nodes,
};
const names = ['cpus', 'memoryBytes', 'diskBytes', 'gpus'] as const;

/** Of the room, of what stays free for others, and of every limit on the way up. */
export function lacksOf(choice: Choice, tenant: TenantState, outlook: Outlook): Lack[] {
  return [
    ...roomLacks(choice, outlook),
    ...keptLacks(choice, tenant, outlook),
    ...limitLacks(choice, tenant, outlook),
  ].filter(({ amount }) => amount > tolerance);
}

function roomLacks(choice: Choice, { room }: Outlook): Lack[] {
  const wanted = takenBy(choice);
  return [
    ...names.map((name) => ({
      amount: wanted[name] - room[name],
      givenBy: (job: RunningJob) => amounts[name](job.choice.need),
    })),
    ...Object.entries(wanted.quotas).map(([id, amount]) => ({
      amount: amount - (room.quotas[id] ?? Infinity),
      givenBy: ({ choice: { takes } }: RunningJob) => takes?.[id] ?? 0,
    })),
  ];
}

export function keptLacks(choice: Choice, tenant: TenantState, { state, room, kept }: Omit<Outlook, 'ending'>): Lack[] {
  const pool = state.pools.get(choice.provider);
  if (pool === undefined) return [];
  return keptKinds(choice, tenant, state, kept).map(({ kind, wanted, kept: ofOthers }) => ({
    amount: wanted + ofOthers - amountOfKind(pool, room, kind),
    givenBy: (job) => amountOfKind(pool, takenBy(job.choice), kind),
  }));
}

function limitLacks(choice: Choice, tenant: TenantState, { state, ending }: Outlook): Lack[] {
  return exceeded(choice, tenant).map(({ tenantId, limit, kind, used, wanted, most }) => {
    const isBelow = (job: RunningJob) =>
      state.tenants.get(job.tenantId)?.lineage.some(({ id }) => id === tenantId) ?? false;
    const givenBy = (job: RunningJob) =>
      isCounted(job.choice, limit, kind) && isBelow(job) ? countOf(job.choice, limit) : 0;
    const given = ending.reduce((sum, job) => sum + givenBy(job), 0);
    return { amount: used + wanted - most * (1 + tolerance) - given, givenBy };
  });
}
