import {
  countOf,
  exceeded,
  guaranteeOf,
  isCounted,
  isGuaranteed,
  isGuaranteedWithin,
  type Exceeded,
} from './exceeded.ts';
import { hasKind, isWithin, minus, noRoom, plus, takenBy, together, type Room } from './room.ts';
import type { Choice, QueuedJob, RunningJob } from './snapshot.ts';
import type { State, TenantState } from './state.ts';

/** What a round has taken from its pools for jobs whose place is being made: they start when it is free. */
export type Claims = {
  /** What is free of a provider and claimed by nobody. */
  unclaimed: (provider: string) => Room;
  /**
   * The running jobs that make way for this one: those that lose least. Empty where those that end already are enough, undefined
   * where none may be asked to or all together are too few. Claims the place.
   */
  makeRoom: (job: QueuedJob, tenant: TenantState, choice: Choice) => RunningJob[] | undefined;
};

type Victim = { job: RunningJob; tenant: TenantState; lostWork: number };

export function createClaims(state: State): Claims {
  /** Of each provider: what claims hold of what is free, and what jobs that end will leave to no claim. */
  const held = new Map<string, Room>();
  const coming = new Map<string, Room>();
  const ending = [...state.running.values()].filter(({ isStopping }) => isStopping);
  for (const { choice } of ending) bring(coming, choice);
  const chosen = new Set<string>();
  let victims: Victim[] | undefined;

  const unclaimed = (provider: string): Room => {
    const room = state.pools.get(provider)?.room ?? noRoom;
    const claimed = held.get(provider);
    return claimed === undefined ? room : minus(room, claimed);
  };

  return {
    unclaimed,
    makeRoom: (job, tenant, choice) => {
      if (!mayPreempt(tenant, choice, state)) return undefined;
      const room = plus(unclaimed(choice.provider), coming.get(choice.provider) ?? noRoom);
      const isEnough = (leaving: RunningJob[]) => fits(choice, tenant, { state, room, ending, leaving });
      let picked: RunningJob[] | undefined = isEnough([]) ? [] : undefined;
      if (picked === undefined) {
        victims ??= listVictims(state);
        const eligible = victims.filter(
          (victim) => !chosen.has(victim.job.id) && victim.job.choice.provider === choice.provider,
        );
        picked = pick(eligible, { job, tenant, choice, state, isEnough });
      }
      if (picked === undefined) return undefined;
      for (const each of picked) {
        chosen.add(each.id);
        ending.push(each);
        bring(coming, each.choice);
      }
      claim(choice, unclaimed(choice.provider), { held, coming });
      return picked;
    },
  };
}

function bring(coming: Map<string, Room>, choice: Choice): void {
  coming.set(choice.provider, together(coming.get(choice.provider) ?? noRoom, takenBy(choice)));
}

/** Of what is free as much as there is, and the rest of what comes. */
function claim(choice: Choice, free: Room, { held, coming }: Record<'held' | 'coming', Map<string, Room>>): void {
  const { provider } = choice;
  const wanted = takenBy(choice);
  const left = (id: string) => Math.max(0, free.quotas[id] ?? Infinity);
  const now = {
    cpus: Math.min(wanted.cpus, Math.max(0, free.cpus)),
    memoryBytes: Math.min(wanted.memoryBytes, Math.max(0, free.memoryBytes)),
    diskBytes: Math.min(wanted.diskBytes, Math.max(0, free.diskBytes)),
    gpus: Math.min(wanted.gpus, Math.max(0, free.gpus)),
    quotas: Object.fromEntries(Object.entries(wanted.quotas).map(([id, amount]) => [id, Math.min(amount, left(id))])),
  };
  held.set(provider, together(held.get(provider) ?? noRoom, now));
  coming.set(provider, together(coming.get(provider) ?? noRoom, together(wanted, now, -1), -1));
}

function mayPreempt({ lineage }: TenantState, choice: Choice, { rules, pools }: State): boolean {
  if (!hasKind(pools.get(choice.provider)?.gpuKind ?? '', choice.need)) return false;
  return rules.preemptsLowerPriority || lineage.some((each) => isGuaranteed(each, choice));
}

/** All that have run long enough, those that lose the least work first: what no checkpoint holds, times their speed. */
function listVictims({ running, tenants, rules, now }: State): Victim[] {
  const victims: Victim[] = [];
  for (const job of running.values()) {
    const tenant = tenants.get(job.tenantId);
    if (tenant === undefined || job.isStopping || job.startedAt === undefined) continue;
    // Nor one that this very round has started, also where no runtime is asked for.
    if (now - job.startedAt < Math.max(1, rules.minRuntimeMs)) continue;
    victims.push({ job, tenant, lostWork: lostMs(job, now) * job.choice.petaflops });
  }
  return victims.toSorted((a, b) => a.lostWork - b.lostWork || (a.job.id < b.job.id ? -1 : 1));
}

/** How much of its run so far a job would have to do again. */
export function lostMs({ startedAt, checkpointedAt }: RunningJob, now: number): number {
  return startedAt === undefined ? 0 : Math.max(0, now - Math.max(startedAt, checkpointedAt ?? startedAt));
}

type Request = {
  job: QueuedJob;
  tenant: TenantState;
  choice: Choice;
  state: State;
  isEnough: (leaving: RunningJob[]) => boolean;
};

function pick(eligible: Victim[], request: Request): RunningJob[] | undefined {
  const picked: RunningJob[] = [];
  /** What each tenant, by kind, is left with once those picked have gone. */
  const gone = new Map<string, number>();
  for (const victim of eligible) {
    if (!mayTake(victim, request, gone)) continue;
    picked.push(victim.job);
    for (const { id } of victim.tenant.lineage) {
      const key = `${id} ${victim.job.choice.accelerators.kind}`;
      gone.set(key, (gone.get(key) ?? 0) + victim.job.choice.accelerators.count);
    }
    if (request.isEnough(picked)) return spareUnneeded(picked, request.isEnough);
  }
  return undefined;
}

/** Those taken first may not be needed any more once a larger one was. The dearest are spared first. */
function spareUnneeded(picked: RunningJob[], isEnough: Request['isEnough']): RunningJob[] {
  let needed = picked;
  for (const job of picked.toReversed()) {
    const without = needed.filter((each) => each !== job);
    if (isEnough(without)) needed = without;
  }
  return needed;
}

/**
 * Guaranteed capacity comes back from those who borrow, seen where the two tenants part: below that point the one that waits must
 * be within a guarantee, and the one that runs above each of its own. An organisation's own jobs borrow from its teams. Inside one
 * tenant, where the pool's policy says so, the lower priority makes way.
 */
function mayTake(victim: Victim, { job, tenant, choice, state }: Request, gone: Map<string, number>): boolean {
  if (victim.tenant === tenant) return state.rules.preemptsLowerPriority && victim.job.priority < job.priority;
  const own = tenant.lineage.filter((each) => !victim.tenant.lineage.includes(each));
  if (!isGuaranteedWithin(own, choice)) return false;
  const { kind } = victim.job.choice.accelerators;
  return victim.tenant.lineage
    .filter((each) => !tenant.lineage.includes(each) && guaranteeOf(each, kind) > 0)
    .every((each) => {
      const used = (each.accelerators[kind] ?? 0) - (gone.get(`${each.id} ${kind}`) ?? 0);
      return used > guaranteeOf(each, kind);
    });
}

type Prospect = { state: State; room: Room; ending: RunningJob[]; leaving: RunningJob[] };

/** Whether the job could start once these have left: in the room, and within every limit. */
function fits(choice: Choice, tenant: TenantState, { state, room, ending, leaving }: Prospect): boolean {
  const freed = leaving.reduce((sum, each) => plus(sum, takenBy(each.choice)), room);
  if (!isWithin(takenBy(choice), freed)) return false;
  const gone = [...ending, ...leaving];
  const isOf = (job: RunningJob, above: TenantState) =>
    state.tenants.get(job.tenantId)?.lineage.includes(above) ?? false;
  const passed: Exceeded[] = exceeded(choice, tenant, (each, limit, kind) =>
    gone.reduce(
      (sum, job) => (isOf(job, each) && isCounted(job.choice, limit, kind) ? sum + countOf(job.choice, limit) : sum),
      0,
    ),
  );
  return passed.length === 0;
}
