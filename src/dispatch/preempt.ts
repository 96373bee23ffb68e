import { guaranteeOf, isGuaranteed, isGuaranteedWithin } from './exceeded.ts';
import { createKeptLater, type KeptLater } from './kept.ts';
import { keptLacks, lacksOf, type Lack } from './lacks.ts';
import { hasKind, minus, noRoom, plus, takenBy, together, tolerance, type Room } from './room.ts';
import type { Choice, QueuedJob, RunningJob } from './snapshot.ts';
import { countOwnUse, type State, type TenantState } from './state.ts';

/** What a round has taken from its pools for jobs whose place is being made: they start when it is free. */
export type Claims = {
  /** What is free of a provider and claimed by nobody. */
  unclaimed: (provider: string) => Room;
  /** Of a provider, what is claimed, free already or not. */
  of: (provider: string) => readonly Choice[];
  /**
   * The running jobs that make way for this one: those that lose least. Empty where those that end already are enough, undefined
   * where none may be asked to, or all together are too few. Claims the place, which counts against the limits of its tenant.
   */
  makeRoom: (job: QueuedJob, tenant: TenantState, choice: Choice, mayAsk: boolean) => RunningJob[] | undefined;
  /** To be called at the end of the round: the state counts what runs again, and nothing else. */
  release: () => void;
};

type Victim = { job: RunningJob; tenant: TenantState; lostWork: number };

/** All of a tenant on one kind of accelerator, with the lowest of their priorities: what may be taken of one may be of the others. */
type Victims = { tenant: TenantState; kind: string; lowestPriority: number; jobs: Victim[] };

export function createClaims(state: State): Claims {
  /** Of each provider: what claims hold of what is free, and what jobs that end will leave to no claim. */
  const held = new Map<string, Room>();
  const coming = new Map<string, Room>();
  const claimed: { tenant: TenantState; choice: Choice }[] = [];
  const ending: RunningJob[] = [];
  /** What each tenant, by kind, will no longer have when all that end have gone. */
  const gone = new Map<string, number>();
  const keptLater = createKeptLater([...state.tenants.values()], state.kept);
  const end = (job: RunningJob): void => {
    ending.push(job);
    bring(coming, job.choice);
    countGone(gone, job, state);
    keptLater.count(job.tenantId, job.choice.accelerators, -1);
  };
  for (const job of state.running.values()) if (job.isStopping) end(job);
  const chosen = new Set<string>();
  let victims: Victims[] | undefined;

  const unclaimed = (provider: string): Room => {
    const room = state.pools.get(provider)?.room ?? noRoom;
    const taken = held.get(provider);
    return taken === undefined ? room : minus(room, taken);
  };
  const choose = (job: QueuedJob, tenant: TenantState, choice: Choice, lacks: Lack[]): RunningJob[] | undefined => {
    victims ??= listVictims(state);
    return pick(victims, lacks, { job, tenant, choice, state, gone, chosen });
  };

  return {
    unclaimed,
    of: (provider) => claimed.flatMap(({ choice }) => (choice.provider === provider ? [choice] : [])),
    makeRoom: (job, tenant, choice, mayAsk) => {
      if (!mayPreempt(tenant, choice, state)) return undefined;
      const room = plus(unclaimed(choice.provider), coming.get(choice.provider) ?? noRoom);
      const lacks = lacksOf(choice, tenant, { state, room, ending, kept: keptLater });
      // What ends anyway is for those who are guaranteed it, and for whom it was freed.
      if (lacks.length === 0 && !(job.hasClaim === true || isWithinAny(tenant, choice))) return undefined;
      if (lacks.length > 0 && !mayAsk) return undefined;
      const picked = lacks.length === 0 ? [] : choose(job, tenant, choice, lacks);
      if (picked === undefined) return undefined;
      if (picked.length > 0 && !isKeptBy(picked, { choice, tenant, state, room, kept: keptLater })) return undefined;
      for (const each of picked) {
        chosen.add(each.id);
        end(each);
      }
      claim(choice, unclaimed(choice.provider), { held, coming });
      claimed.push({ tenant, choice });
      // What it will not leave of limits, budgets and shares no later job gets; but the pool has not used it yet.
      countOwnUse(state, tenant, choice, 1);
      keptLater.count(tenant.id, choice.accelerators, 1);
      // It does not run yet: nobody of its tenant makes way on its account.
      countGone(gone, { tenantId: tenant.id, choice }, state);
      return picked;
    },
    release: () => {
      for (const { tenant, choice } of claimed) countOwnUse(state, tenant, choice, -1);
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

function mayPreempt(tenant: TenantState, choice: Choice, { rules, pools }: State): boolean {
  if (!hasKind(pools.get(choice.provider)?.gpuKind ?? '', choice.need)) return false;
  return rules.preemptsLowerPriority || isWithinAny(tenant, choice);
}

function isWithinAny({ lineage }: TenantState, choice: Choice): boolean {
  return lineage.some((each) => isGuaranteed(each, choice));
}

/** All that have run long enough. */
function listVictims({ running, tenants, rules, now }: State): Victims[] {
  const groups = new Map<string, Victims>();
  for (const job of running.values()) {
    const tenant = tenants.get(job.tenantId);
    if (tenant === undefined || job.isStopping || job.startedAt === undefined) continue;
    // Nor one that this very round has started, also where no runtime is asked for.
    if (now - job.startedAt < Math.max(1, rules.minRuntimeMs)) continue;
    const { kind } = job.choice.accelerators;
    const key = `${tenant.id} ${kind}`;
    const group = groups.get(key) ?? { tenant, kind, lowestPriority: Infinity, jobs: [] };
    group.lowestPriority = Math.min(group.lowestPriority, job.priority);
    group.jobs.push({ job, tenant, lostWork: lostMs(job, now) * job.choice.petaflops });
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** Those that lose the least work first: what no checkpoint holds, times their speed. */
const byLostWork = (a: Victim, b: Victim) => a.lostWork - b.lostWork || (a.job.id < b.job.id ? -1 : 1);

/** How much of its run so far a job would have to do again. */
export function lostMs({ startedAt, checkpointedAt }: RunningJob, now: number): number {
  return startedAt === undefined ? 0 : Math.max(0, now - Math.max(startedAt, checkpointedAt ?? startedAt));
}

type Leave = { choice: Choice; tenant: TenantState; state: State; room: Room; kept: KeptLater };

/** Tenants whose jobs leave may come below what they are guaranteed and do not lend, so that more has to stay free for them. */
function isKeptBy(leaving: readonly RunningJob[], { choice, tenant, state, room, kept }: Leave): boolean {
  const count = (sign: 1 | -1) => {
    for (const { tenantId, choice: left } of leaving) kept.count(tenantId, left.accelerators, sign);
  };
  count(-1);
  const after = leaving.reduce((sum, each) => plus(sum, takenBy(each.choice)), room);
  const lacks = keptLacks(choice, tenant, { state, room: after, kept });
  count(1);
  return lacks.every(({ amount }) => amount <= tolerance);
}

type Request = {
  job: QueuedJob;
  tenant: TenantState;
  choice: Choice;
  state: State;
  gone: ReadonlyMap<string, number>;
  /** Who makes way for another already. */
  chosen: ReadonlySet<string>;
};

/** Those that lose least, of those that give some of what is lacking. */
function pick(groups: readonly Victims[], lacks: Lack[], request: Request): RunningJob[] | undefined {
  // Most that find no place could not make one either: that is told without choosing.
  const open = groups.filter((group) => mayTakeOf(group, request, request.gone));
  const victims = open.flatMap(({ jobs }) => jobs.filter((victim) => isOpen(victim, request)));
  if (!isAllTogetherEnough(victims, lacks)) return undefined;
  const picked: RunningJob[] = [];
  const gone = new Map(request.gone);
  const given = lacks.map(() => 0);
  for (const victim of victims.toSorted(byLostWork)) {
    if (!givesMore(victim.job, lacks, given) || !mayTake(victim, request, gone)) continue;
    picked.push(victim.job);
    countGone(gone, victim.job, request.state);
    add(given, lacks, victim.job, 1);
    if (isEnough(lacks, given)) return spareUnneeded(picked, lacks, given);
  }
  return undefined;
}

const isEnough = (lacks: Lack[], given: number[]) =>
  lacks.every(({ amount }, index) => (given[index] ?? 0) >= amount - tolerance);

const givesMore = (job: RunningJob, lacks: Lack[], given: number[]) =>
  lacks.some(({ amount, givenBy }, index) => (given[index] ?? 0) < amount - tolerance && givenBy(job) > 0);

function add(given: number[], lacks: Lack[], job: RunningJob, sign: 1 | -1): void {
  for (const [index, { givenBy }] of lacks.entries()) given[index] = (given[index] ?? 0) + sign * givenBy(job);
}

function isAllTogetherEnough(victims: readonly Victim[], lacks: Lack[]): boolean {
  const given = lacks.map(() => 0);
  for (const victim of victims) {
    add(given, lacks, victim.job, 1);
    if (isEnough(lacks, given)) return true;
  }
  return false;
}

const isOpen = ({ job }: Victim, { chosen, choice }: Request) =>
  job.choice.provider === choice.provider && !chosen.has(job.id);

/** Those taken first may not be needed any more once a larger one was. The dearest are spared first. */
function spareUnneeded(picked: RunningJob[], lacks: Lack[], given: number[]): RunningJob[] {
  const spared = new Set<RunningJob>();
  for (const job of picked.toReversed()) {
    add(given, lacks, job, -1);
    if (isEnough(lacks, given)) spared.add(job);
    else add(given, lacks, job, 1);
  }
  return picked.filter((job) => !spared.has(job));
}

function countGone(
  gone: Map<string, number>,
  { tenantId, choice }: Pick<RunningJob, 'tenantId' | 'choice'>,
  { tenants }: State,
): void {
  const { kind, count } = choice.accelerators;
  for (const { id } of tenants.get(tenantId)?.lineage ?? []) {
    const key = `${id} ${kind}`;
    gone.set(key, (gone.get(key) ?? 0) + count);
  }
}

/** Inside one tenant, where the pool's policy says so, the lower priority makes way. */
function mayTake({ job: victim, tenant }: Victim, request: Request, gone: ReadonlyMap<string, number>): boolean {
  const { kind } = victim.choice.accelerators;
  return mayTakeOf({ tenant, kind, lowestPriority: victim.priority }, request, gone);
}

/**
 * Guaranteed capacity comes back from those who borrow, seen where the two tenants part: below that point the one that waits must
 * be within a guarantee, and the one that runs above each of its own. An organisation's own jobs borrow from its teams.
 */
function mayTakeOf(
  victim: Pick<Victims, 'tenant' | 'kind' | 'lowestPriority'>,
  { job, tenant, choice, state }: Request,
  gone: ReadonlyMap<string, number>,
): boolean {
  if (victim.tenant === tenant) return state.rules.preemptsLowerPriority && victim.lowestPriority < job.priority;
  const own = tenant.lineage.filter((each) => !victim.tenant.lineage.includes(each));
  if (!isGuaranteedWithin(own, choice)) return false;
  const { kind } = victim;
  return victim.tenant.lineage
    .filter((each) => !tenant.lineage.includes(each) && guaranteeOf(each, kind) > 0)
    .every((each) => (each.accelerators[kind] ?? 0) - (gone.get(`${each.id} ${kind}`) ?? 0) > guaranteeOf(each, kind));
}
