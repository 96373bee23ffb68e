import type { MicroUsd } from '../core/money.ts';
import type { Clock } from '../core/time.ts';
import type { Database, Sql } from '../db/database.ts';
import { reservationFor } from '../jobs/admission.ts';
import type { QuoteOption } from '../protocol/quote.ts';
import type { JobSpec } from '../protocol/job-spec.ts';
import type { Capacity } from '../providers/provider.ts';
import { decide, type Start, type Wait } from './decide.ts';
import { forecast } from './explain.ts';
import { needOf } from './need.ts';
import type { Choice, Pool, QueuedJob, RunningJob, Snapshot, TenantUse } from './snapshot.ts';
import type { SettledUse } from './tenant-uses.ts';
import { insertStart, lockCycle, readActive, readQueueHeads, writeWaiting, type ActiveRow, type QueuedRow } from './store.ts';

export type CycleDeps = {
  db: Database;
  now: Clock;
  /** Of each provider by name; undefined where it does not run out. */
  capacities: () => Promise<Map<string, Capacity | undefined>>;
  petaflopsPerAccelerator: (kind: string) => number;
  /** What tenants may do and what they have used; `running` is counted by the cycle itself. */
  tenantUses: (tx: Sql, tenantIds: string[], now: Date) => Promise<SettledUse[]>;
  reserve: (tx: Sql, reservation: { tenantId: string; jobId: string; attempt: number; amount: MicroUsd; note: string; at: Date }) => Promise<unknown>;
  wakeLaunch: (instanceId: string) => Promise<void>;
  bootMs: number;
};

export type Cycle = () => Promise<'done' | 'busy'>;

/** One round of dispatch: snapshot, decide, apply, in one transaction; then the machines are asked for. */
export function createCycle(deps: CycleDeps): Cycle {
  return async () => {
    const capacities = await deps.capacities();
    const instanceIds = await deps.db.transaction(async (tx) => {
      if (!(await lockCycle(tx))) return undefined;
      const at = deps.now();
      const snapshot = await readSnapshot(tx, at, capacities, deps);
      if (snapshot.queued.length === 0) return [];
      const { starts, waits } = decide(snapshot);
      const started = await applyStarts(tx, starts, at, deps);
      await explain(tx, snapshot, waits);
      return started;
    });
    if (instanceIds === undefined) return 'busy';
    await Promise.all(instanceIds.map((id) => deps.wakeLaunch(id)));
    return 'done';
  };
}

async function applyStarts(tx: Sql, starts: Start[], at: Date, { bootMs, reserve }: CycleDeps): Promise<string[]> {
  const instanceIds: string[] = [];
  for (const start of starts) {
    const started = await insertStart(tx, start, at, new Date(at.getTime() + bootMs));
    if (started === undefined) continue;
    const { jobId, tenantId, choice } = start;
    await reserve(tx, { tenantId, jobId, attempt: started.attempt, amount: choice.reservation, note: `Attempt ${started.attempt} starts.`, at });
    instanceIds.push(...started.instanceIds);
  }
  return instanceIds;
}

async function explain(tx: Sql, snapshot: Snapshot, waits: Wait[]): Promise<void> {
  if (waits.length === 0) return;
  const etas = forecast(snapshot);
  const iso = (ms: number | null | undefined) => (typeof ms !== 'number' ? null : new Date(Math.round(ms / 1000) * 1000).toISOString());
  await writeWaiting(
    tx,
    waits.map(({ jobId, position, blockers }) => {
      const eta = etas.get(jobId);
      return { id: jobId, position, eta: { p50: iso(eta?.p50), p90: iso(eta?.p90) }, blockers };
    }),
  );
}

async function readSnapshot(tx: Sql, at: Date, capacities: Map<string, Capacity | undefined>, deps: CycleDeps): Promise<Snapshot> {
  const queuedRows = await readQueueHeads(tx);
  const activeRows = await readActive(tx);
  const toChoice = (spec: JobSpec, option: QuoteOption) => choiceOf(spec, option, capacities.get(option.offer.provider), deps);
  const running = activeRows.flatMap((row) => runningJob(row, toChoice));
  const queued = queuedRows.map((row) => queuedJob(row, capacities, toChoice));
  const tenantIds = [...new Set([...queued, ...running].map(({ tenantId }) => tenantId))];
  const tenants = (await deps.tenantUses(tx, tenantIds, at)).map((tenant) => withRunning(tenant, running));
  const pools = [...capacities].map(([provider, capacity]) => poolOf(provider, capacity, activeRows));
  return { now: at.getTime(), pools, tenants, queued, running };
}

function choiceOf(spec: JobSpec, option: QuoteOption, capacity: Capacity | undefined, { petaflopsPerAccelerator }: CycleDeps): Choice {
  const { offer, durationSeconds } = option;
  const count = offer.accelerators.count * offer.nodes;
  return {
    optionId: option.id,
    provider: offer.provider,
    need: needOf(spec, offer, capacity ?? { memoryBytes: Infinity, diskBytes: Infinity }),
    accelerators: { kind: offer.accelerators.kind, count },
    petaflops: petaflopsPerAccelerator(offer.accelerators.kind) * count,
    reservation: reservationFor(spec, option),
    durationMs: { p50: durationSeconds.p50 * 1000, p90: durationSeconds.p90 * 1000 },
  };
}

type ToChoice = (spec: JobSpec, option: QuoteOption) => Choice;

function queuedJob(row: QueuedRow, capacities: Map<string, unknown>, toChoice: ToChoice): QueuedJob {
  return {
    id: row.id,
    tenantId: row.tenantId,
    priority: row.priority,
    queuedAt: row.queuedAt.getTime(),
    notBefore: row.notBefore?.getTime() ?? 0,
    choices: row.options.filter(({ offer }) => capacities.has(offer.provider)).map((option) => toChoice(row.spec, option)),
  };
}

function runningJob(row: ActiveRow, toChoice: ToChoice): RunningJob[] {
  const option = row.options.find(({ offer }) => offer.id === row.offer.id);
  if (option === undefined) return [];
  const choice = toChoice(row.spec, option);
  const startedAt = (row.startedAt ?? row.createdAt).getTime();
  return [{ id: row.jobId, tenantId: row.tenantId, choice, endsAt: { p50: startedAt + choice.durationMs.p50, p90: startedAt + choice.durationMs.p90 } }];
}

function withRunning(tenant: SettledUse, running: RunningJob[]): TenantUse {
  const own = running.filter(({ tenantId }) => tenantId === tenant.id);
  const accelerators: Record<string, number> = {};
  for (const { choice } of own) accelerators[choice.accelerators.kind] = (accelerators[choice.accelerators.kind] ?? 0) + choice.accelerators.count;
  const inFlight = expectedUse(own);
  return {
    ...tenant,
    decayedUse: tenant.decayedUse + inFlight,
    shareCap: tenant.shareCap && {
      ...tenant.shareCap,
      ownPetaflopSeconds: tenant.shareCap.ownPetaflopSeconds + inFlight,
      poolPetaflopSeconds: tenant.shareCap.poolPetaflopSeconds + expectedUse(running),
    },
    running: own.length,
    accelerators,
    petaflops: own.reduce((sum, { choice }) => sum + choice.petaflops, 0),
  };
}

/** Petaflop-seconds that jobs are expected to use in all. */
function expectedUse(jobs: RunningJob[]): number {
  return jobs.reduce((sum, { choice }) => sum + (choice.petaflops * choice.durationMs.p50) / 1000, 0);
}

/** Capacity less what every active attempt holds of it. */
function poolOf(provider: string, capacity: Capacity | undefined, active: ActiveRow[]): Pool {
  if (capacity === undefined) return { provider, cpus: Infinity, memoryBytes: Infinity, diskBytes: Infinity, gpus: { kind: '', free: [] } };
  const held = active.filter(({ offer }) => offer.provider === provider);
  const heldGpus = new Set(held.flatMap(({ limits }) => limits.gpus.flat()));
  const sum = (amount: (row: ActiveRow) => number) => held.reduce((total, row) => total + amount(row) * row.offer.nodes, 0);
  return {
    provider,
    cpus: capacity.cpus - sum(({ limits }) => limits.cpus),
    memoryBytes: capacity.memoryBytes - sum(({ limits }) => limits.memoryBytes),
    diskBytes: capacity.diskBytes - sum(({ limits }) => limits.diskBytes),
    gpus: { kind: capacity.gpus.kind, free: Array.from({ length: capacity.gpus.count }, (_, index) => index).filter((index) => !heldGpus.has(index)) },
  };
}
