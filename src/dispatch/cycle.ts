import type { MicroUsd } from '../core/money.ts';
import type { Clock } from '../core/time.ts';
import type { Database, Sql } from '../db/database.ts';
import type { Capacity } from '../providers/provider.ts';
import type { WakeLaunch } from '../instances/launch.ts';
import { probeShortage } from '../instances/shortage-store.ts';
import { createDescribe } from './describe.ts';
import { forecast } from './explain.ts';
import { figuresOf, type Figures } from './figures.ts';
import { byTenant } from './order.ts';
import { readSnapshot, type ReadSnapshot, type SnapshotDeps } from './read-snapshot.ts';
import { decideRound } from './decide.ts';
import type { Decisions, Preemption, Start, Wait } from './decisions.ts';
import { createExplained } from './explained.ts';
import { openState, type State } from './state.ts';
import { insertStarts, lockCycle } from './store.ts';
import { forgetWaiting, putOff, writeWaiting, type WaitingRow } from './waiting-store.ts';

export type CycleDeps = SnapshotDeps & {
  db: Database;
  now: Clock;
  /** Of each provider by name; undefined where it does not run out. */
  capacities: () => Promise<Map<string, Capacity | undefined>>;
  /** Makes a machine that can't keep jobs apart this tenant's. False where it is another's. */
  occupy: (tx: Sql, provider: string, tenantId: string) => Promise<boolean>;
  reserve: (
    tx: Sql,
    reservations: { tenantId: string; jobId: string; attempt: number; amount: MicroUsd; note: string; at: Date }[],
  ) => Promise<unknown>;
  /** Gives a running job notice. In a transaction of its own: the accounts that this one holds are taken after the job elsewhere. */
  preempt: (preemption: Preemption) => Promise<unknown>;
  /** Keeps what the round was like, and how long it took. */
  record: (figures: Figures, seconds: number) => Promise<unknown>;
  wakeLaunch: WakeLaunch;
  bootMs: number;
};

/** `busy`: another is at it. `more`: what could start too stands behind what started, and the next round reads it. */
export type Cycle = () => Promise<'done' | 'busy' | 'more'>;

/** One round of dispatch: snapshot, decide, apply, in one transaction; then the machines are asked for. */
export function createCycle(deps: CycleDeps): Cycle {
  const explained = createExplained();
  let turn = 0;
  return async () => {
    const startedAt = performance.now();
    const capacities = await deps.capacities();
    const applied = await deps.db.transaction(async (tx) => {
      if (!(await lockCycle(tx))) return undefined;
      const at = deps.now();
      const snapshot = await readSnapshot(tx, { at, turn: (turn += 1) }, capacities, deps);
      const state = openState(snapshot);
      const decided = decideRound(state, byTenant(snapshot.queued));
      const decisions = { ...decided, starts: inTurn(decided.starts, snapshot) };
      const { starts, preemptions, waits } = decisions;
      const waiting = explain({ starts, waits }, { snapshot, state });
      // Last of all what others wait for: rows of jobs, and accounts.
      const machines = await applyStarts(tx, starts, at, deps);
      await writeWaiting(tx, explained.news(waiting, snapshot.now), at);
      await forgetWaiting(tx, outdated(snapshot, waiting));
      const isMore = starts.length < decided.starts.length;
      return { machines, preemptions, isMore, figures: figuresOf(snapshot, state, decisions) };
    });
    if (applied === undefined) return 'busy';
    explained.keep();
    await Promise.all(applied.machines.map(deps.wakeLaunch));
    for (const preemption of applied.preemptions) await deps.preempt(preemption);
    // What is told of a round must not undo it.
    await deps.record(applied.figures, (performance.now() - startedAt) / 1000).catch(deps.onError);
    return applied.isMore ? 'more' : 'done';
  };
}

type Machine = Parameters<WakeLaunch>[0];

/** A job that can't be started for a fault in its row or in us is looked at again after so long. */
const putOffMs = 60_000;

/** All together behind a savepoint, and each behind its own where that fails: one that the database refuses keeps none of the others from starting. */
async function applyStarts(tx: Sql, starts: Start[], at: Date, deps: CycleDeps): Promise<Machine[]> {
  if (starts.length === 0) return [];
  await tx.$executeRaw`SAVEPOINT start`;
  try {
    return await applyTogether(tx, starts, at, deps);
  } catch (error) {
    await tx.$executeRaw`ROLLBACK TO SAVEPOINT start`;
    const [first, ...others] = starts;
    if (first === undefined || others.length > 0) return applyEach(tx, starts, at, deps);
    deps.onError(error);
    await putOff(tx, first.jobId, new Date(at.getTime() + putOffMs));
    return [];
  }
}

async function applyEach(tx: Sql, starts: Start[], at: Date, deps: CycleDeps): Promise<Machine[]> {
  const machines: Machine[] = [];
  for (const start of starts) machines.push(...(await applyStarts(tx, [start], at, deps)));
  return machines;
}

async function applyTogether(tx: Sql, starts: Start[], at: Date, deps: CycleDeps): Promise<Machine[]> {
  const open = await openTo(tx, starts, deps);
  const begun = await insertStarts(tx, open, at, new Date(at.getTime() + deps.bootMs));
  const probed = open.flatMap(({ choice }) => choice.shortage?.id ?? []);
  for (const shortageId of new Set(probed)) await probeShortage(tx, shortageId, at);
  await deps.reserve(
    tx,
    begun.map(({ tenantId, jobId, attempt, reservation }) => {
      return { tenantId, jobId, attempt, amount: reservation, note: `Attempt ${attempt} starts.`, at };
    }),
  );
  return begun.flatMap(({ provider, instanceIds }) => instanceIds.map((id) => ({ id, provider })));
}

/** Those on machines that can keep jobs apart, or are their tenant's. */
async function openTo(tx: Sql, starts: Start[], { occupy }: CycleDeps): Promise<Start[]> {
  const wards = Map.groupBy(starts, ({ choice, tenantId }) => `${choice.provider} ${tenantId}`);
  const open: Start[] = [];
  for (const own of wards.values()) {
    const [first] = own;
    if (first !== undefined && (await occupy(tx, first.choice.provider, first.tenantId))) open.push(...own);
  }
  return open;
}

/**
 * Without those that stand behind jobs which were not read, where all before these start: so would they, and the next round reads them.
 * Places are counted in the order of the rows, of which a ceiling on priority makes another: what counts is which of them were read.
 */
function inTurn(starts: Start[], { queued, places }: ReadSnapshot): Start[] {
  const started = new Set(starts.map(({ jobId }) => jobId));
  const placeOf = (jobId: string): number => places.get(jobId) ?? 0;
  const headOf = new Map(
    [...byTenant(queued)].map(([tenantId, queue]) => {
      const read = new Set(queue.map(({ id }) => placeOf(id)));
      let last = 0;
      while (read.has(last + 1)) last += 1;
      const head = queue.filter(({ id }) => placeOf(id) <= last);
      return [tenantId, head.length > 0 && head.every(({ id }) => started.has(id)) ? last : Infinity];
    }),
  );
  return starts.filter(({ jobId, tenantId }) => placeOf(jobId) <= (headOf.get(tenantId) ?? Infinity));
}

type Around = { snapshot: ReadSnapshot; state: State };

function explain({ starts, waits }: Pick<Decisions, 'starts' | 'waits'>, { snapshot, state }: Around): WaitingRow[] {
  if (waits.length === 0) return [];
  const placeOf = placesAfter(snapshot.places, starts);
  const describe = createDescribe(state);
  const etas = forecast(snapshot);
  const iso = (ms: number | null | undefined) =>
    typeof ms !== 'number' ? null : new Date(Math.round(ms / 1000) * 1000).toISOString();
  // Where not every round looks, what one saw would soon be wrong: those are explained by who is before them.
  const isKept = ({ jobId, reserved }: Wait) => reserved !== undefined || !snapshot.behind.has(jobId);
  return waits.filter(isKept).map(({ jobId, tenantId, blockers: obstacles, reserved }) => {
    const eta = etas.get(jobId);
    const startsAt = iso(reserved?.startsAt);
    return {
      id: jobId,
      position: placeOf(jobId, tenantId),
      eta: { p50: iso(eta?.p50), p90: iso(eta?.p90) },
      blockers: obstacles.map((obstacle) => describe(obstacle, tenantId)),
      ...(startsAt === null ? {} : { reserved: startsAt }),
    };
  });
}

/** What an earlier round wrote of those that have fallen behind since. */
function outdated({ behind }: ReadSnapshot, waiting: WaitingRow[]): string[] {
  const written = new Set(waiting.map(({ id }) => id));
  return [...behind].flatMap(([id, isExplained]) => (isExplained && !written.has(id) ? [id] : []));
}

/** Whoever has started stands in no queue any more. A cycle sees parts of long queues: what it saw is no count of them. */
function placesAfter(places: Map<string, number>, starts: Start[]): (jobId: string, tenantId: string) => number {
  const left = Map.groupBy(starts, ({ tenantId }) => tenantId);
  return (jobId, tenantId) => {
    const place = places.get(jobId) ?? 0;
    const before = (left.get(tenantId) ?? []).filter((start) => (places.get(start.jobId) ?? 0) < place);
    return place - before.length;
  };
}
