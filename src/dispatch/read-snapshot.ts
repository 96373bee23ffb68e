import { fromUsd, type MicroUsd } from '../core/money.ts';
import { hourMs } from '../core/time.ts';
import type { Sql } from '../db/database.ts';
import { longestFor, type Remembered } from '../instances/shortage.ts';
import { listShortages } from '../instances/shortage-store.ts';
import { takesOf, type Takes, type Ware } from '../instances/account-quota.ts';
import { listAccountQuotas } from '../instances/account-quota-store.ts';
import { reservationFor } from '../jobs/admission.ts';
import type { QuoteOption } from '../protocol/quote.ts';
import type { Policy } from '../protocol/tenant.ts';
import type { Capacity } from '../providers/provider.ts';
import { accountPetaflops, ofAllNodes, quotasOf } from './account-quotas.ts';
import { readClaimants } from './claim-store.ts';
import { endOf } from './ends.ts';
import { petaflopsOf, wholePool, type Capacities } from './capacity.ts';
import { ancestorsOf } from './hierarchy.ts';
import { needOf } from './need.ts';
import type { Choice, Pool, PoolRules, QueuedJob, RunningJob, Snapshot, TenantUse } from './snapshot.ts';
import { readActive, readQueueHeads, type ActiveRow, type HeldRow, type NeededSpec, type QueuedRow } from './store.ts';
import type { ReadTenantUses, SettledUse, WindowUse } from './tenant-uses.ts';

export type SnapshotDeps = {
  petaflopsPerAccelerator: (kind: string) => number;
  /** What tenants may do and what they have used; what runs is counted here. */
  tenantUses: ReadTenantUses;
  /** Whose the machines are that can't keep jobs apart, by provider. */
  soleTenants: (tx: Sql) => Promise<Map<string, string>>;
  onError: (error: unknown) => void;
};

/** `turn`: how many rounds this process has had before. */
export type Moment = { at: Date; turn: number };

/**
 * `places`: where in its tenant's queue each waiting job stands, from 1. `behind`: those that not every round reads, with whether they
 * are explained by what an earlier one saw.
 */
export type ReadSnapshot = Snapshot & { places: Map<string, number>; behind: Map<string, boolean> };

/** All that a round of decisions needs to know. */
export async function readSnapshot(
  tx: Sql,
  { at, turn }: Moment,
  capacities: Capacities,
  deps: SnapshotDeps,
): Promise<ReadSnapshot> {
  const claimants = await readClaimants(tx, at);
  const queuedRows = await readQueueHeads(tx, turn, [...claimants]);
  const activeRows = await readActive(tx);
  const soleTenants = await deps.soleTenants(tx);
  const accounts = await listAccountQuotas(tx, at);
  const around = { ...deps, takes: takesOf(accounts) };
  const running = activeRows.flatMap((row) => runningJob(row, at.getTime(), capacities, around));
  const idsOf = (jobs: { tenantId: string }[]) => [...new Set(jobs.map(({ tenantId }) => tenantId))];
  const uses = await deps.tenantUses(tx, {
    waiting: idsOf(queuedRows),
    running: idsOf(running),
    now: at,
    poolPetaflops:
      petaflopsOf(capacities, deps.petaflopsPerAccelerator) + accountPetaflops(accounts, deps.petaflopsPerAccelerator),
  });
  const open = { capacities, soleTenants, bindings: uses.bindings, shortages: await listShortages(tx, at) };
  const queued = queuedRows.map((row) => ({ ...queuedJob(row, open, around), hasClaim: claimants.has(row.id) }));
  return {
    now: at.getTime(),
    pools: [...capacities].map(([provider, capacity]) => ({
      ...poolOf(provider, capacity, activeRows),
      ...quotasOf(
        accounts.find((account) => account.provider === provider),
        activeRows,
        around.takes,
      ),
    })),
    tenants: withRunning(uses.tenants, running),
    queued,
    places: new Map(queuedRows.map(({ id, place }) => [id, place])),
    behind: new Map(queuedRows.flatMap(({ id, isBehind, isExplained }) => (isBehind ? [[id, isExplained]] : []))),
    running,
    rules: {
      minRuntimeMs: uses.minRuntimeMs,
      preemptsLowerPriority: uses.preemptsLowerPriority,
      concentration: concentrationOf(uses.concentration, running),
    },
  };
}

type ChoiceDeps = Pick<SnapshotDeps, 'petaflopsPerAccelerator'> & {
  /** What one machine takes of the limits of its provider's account. Left out: nothing that is known. */
  takes?: (ware: Ware) => Takes;
};

type Priced = {
  spec: NeededSpec;
  option: Pick<QuoteOption, 'id' | 'offer' | 'durationSeconds' | 'costUsd'>;
  charged: MicroUsd;
};

export function choiceOf(
  { spec, option, charged }: Priced,
  capacities: Capacities,
  { petaflopsPerAccelerator, takes }: ChoiceDeps,
): Choice {
  const { offer, durationSeconds } = option;
  const count = offer.accelerators.count * offer.nodes;
  // Earlier attempts count against what the job may cost; a quote is of one that runs through.
  const spent = spec.maxCostUsd === undefined ? 0 : charged;
  return {
    optionId: option.id,
    provider: offer.provider,
    need: needOf(spec, offer, capacities.get(offer.provider) ?? { memoryBytes: Infinity, diskBytes: Infinity }),
    accelerators: { kind: offer.accelerators.kind, count },
    petaflops: petaflopsPerAccelerator(offer.accelerators.kind) * count,
    reservation: Math.max(0, reservationFor(spec, option) - spent),
    durationMs: { p50: durationSeconds.p50 * 1000, p90: durationSeconds.p90 * 1000 },
    ...(takes === undefined ? {} : { takes: ofAllNodes(takes(offer), offer.nodes) }),
  };
}

type Open = {
  capacities: Capacities;
  soleTenants: Map<string, string>;
  bindings: Map<string, Policy>;
  shortages: Remembered[];
};

/** With the policies as they are now: they may have changed since it was submitted. */
function queuedJob(
  row: QueuedRow,
  { capacities, soleTenants, bindings, shortages }: Open,
  deps: SnapshotDeps & ChoiceDeps,
): QueuedJob {
  const { id, tenantId, spec, charged, hasReservation } = row;
  const { providers, regions, priorityCeiling = Infinity } = bindings.get(tenantId) ?? {};
  const isOpen = ({ offer: { provider, region } }: QuoteOption) =>
    capacities.has(provider) &&
    (soleTenants.get(provider) ?? tenantId) === tenantId &&
    (providers?.includes(provider) ?? true) &&
    (regions?.includes(region) ?? true);
  const choices = (): Choice[] =>
    row.options
      .filter(isOpen)
      .map((option) =>
        withShortage(choiceOf({ spec, option, charged }, capacities, deps), longestFor(shortages, option.offer)),
      );
  return {
    id,
    tenantId,
    priority: Math.min(row.priority, priorityCeiling),
    queuedAt: row.queuedAt.getTime(),
    notBefore: row.notBefore?.getTime() ?? 0,
    choices: unlessBroken(choices, deps) ?? [],
    hasReservation,
  };
}

function withShortage(choice: Choice, remembered: Remembered | undefined): Choice {
  if (remembered === undefined) return choice;
  const { id, cause, message, heldUntil } = remembered;
  return { ...choice, shortage: { id, cause, message, until: heldUntil.getTime() } };
}

/** A row that can't be read must not keep all others from being dispatched. */
function unlessBroken<T>(read: () => T, { onError }: SnapshotDeps): T | undefined {
  try {
    return read();
  } catch (error) {
    onError(error);
    return undefined;
  }
}

/** `useLeft`: petaflop-seconds that it is expected to use, beyond what is in the accounts already. */
type InFlight = RunningJob & { useLeft: number };

function runningJob(row: ActiveRow, now: number, capacities: Capacities, deps: SnapshotDeps & ChoiceDeps): InFlight[] {
  const { jobId, tenantId, spec, option, offer } = row;
  if (option === null) return [];
  const choice = choiceOf({ spec, option, charged: 0 }, capacities, deps);
  const accountedMs = offer.hourlyUsd > 0 ? (row.charged / fromUsd(offer.hourlyUsd)) * hourMs : 0;
  // Beyond its p50 what has passed is used all the same; machines without a price are in the accounts at their ends alone.
  const usesMs = Math.max(choice.durationMs.p50, now - (row.startedAt?.getTime() ?? now));
  const useLeft = (choice.petaflops * Math.max(0, usesMs - accountedMs)) / 1000;
  return [
    {
      id: jobId,
      tenantId,
      attempt: row.attempt,
      priority: row.priority,
      queuedAt: row.queuedAt.getTime(),
      choice,
      startedAt: row.startedAt?.getTime(),
      checkpointedAt: row.checkpointedAt?.getTime(),
      isStopping: row.isStopping,
      endsAt: endOf(row, option, now),
      useLeft,
    },
  ];
}

/** Adds what runs, to its tenant and to all above it. */
function withRunning(tenants: SettledUse[], running: InFlight[]): TenantUse[] {
  const parents = new Map(tenants.flatMap(({ id, parent }) => (parent === undefined ? [] : [[id, parent] as const])));
  const byTenant = new Map<string, InFlight[]>();
  for (const job of running)
    for (const id of [job.tenantId, ...ancestorsOf(job.tenantId, parents)]) {
      const known = byTenant.get(id);
      if (known === undefined) byTenant.set(id, [job]);
      else known.push(job);
    }
  const pool = expectedUse(running);
  return tenants.map((tenant) => withOwn(tenant, byTenant.get(tenant.id) ?? [], pool));
}

function withOwn(tenant: SettledUse, below: InFlight[], pool: number): TenantUse {
  const accelerators: Record<string, number> = {};
  for (const { choice } of below)
    accelerators[choice.accelerators.kind] = (accelerators[choice.accelerators.kind] ?? 0) + choice.accelerators.count;
  const inFlight = expectedUse(below);
  const ownInFlight = expectedUse(below.filter(({ tenantId }) => tenantId === tenant.id));
  return {
    ...tenant,
    decayedUse: tenant.decayedUse + inFlight,
    ownDecayedUse: tenant.ownDecayedUse + ownInFlight,
    shareCap: tenant.shareCap && {
      ...tenant.shareCap,
      ownPetaflopSeconds: tenant.shareCap.ownPetaflopSeconds + inFlight,
      poolPetaflopSeconds: tenant.shareCap.poolPetaflopSeconds + pool,
    },
    windowUse: tenant.windowUse + ownInFlight,
    running: below.length,
    accelerators,
    petaflops: below.reduce((sum, { choice }) => sum + choice.petaflops, 0),
  };
}

function expectedUse(jobs: InFlight[]): number {
  return jobs.reduce((sum, { useLeft }) => sum + useLeft, 0);
}

/** Of all tenants, those without a job included. */
function concentrationOf(use: WindowUse | undefined, running: InFlight[]): PoolRules['concentration'] {
  if (use === undefined) return undefined;
  const { useByTenant, ...rest } = use;
  const own = new Map(useByTenant);
  for (const { tenantId, useLeft } of running) own.set(tenantId, (own.get(tenantId) ?? 0) + useLeft);
  const amounts = [...own.values()];
  const [first] = [...own].toSorted(([, a], [, b]) => b - a);
  return {
    ...rest,
    ...(first === undefined ? {} : { largestTenant: first[0] }),
    squaredPetaflopSeconds: amounts.reduce((total, amount) => total + amount * amount, 0),
    largestPetaflopSeconds: first?.[1] ?? 0,
    poolPetaflopSeconds: amounts.reduce((total, amount) => total + amount, 0),
  };
}

/** Capacity less what every active attempt holds of it. */
export function poolOf(provider: string, capacity: Capacity | undefined, active: HeldRow[]): Pool {
  const whole = wholePool(provider, capacity);
  const held = active.filter(({ offer }) => offer.provider === provider);
  const heldGpus = new Set(held.flatMap(({ limits }) => limits.gpus.flat()));
  const sum = (amount: (row: HeldRow) => number) =>
    held.reduce((total, row) => total + amount(row) * row.offer.nodes, 0);
  return {
    provider,
    cpus: whole.cpus - sum(({ limits }) => limits.cpus),
    memoryBytes: whole.memoryBytes - sum(({ limits }) => limits.memoryBytes),
    diskBytes: whole.diskBytes - sum(({ limits }) => limits.diskBytes),
    gpus: { kind: whole.gpus.kind, free: whole.gpus.free.filter((index) => !heldGpus.has(index)) },
  };
}
