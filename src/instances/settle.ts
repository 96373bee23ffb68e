import type { MicroUsd } from '../core/money.ts';
import type { Clock } from '../core/time.ts';
import type { Database, Sql } from '../db/database.ts';
import { outcomes, type EndState, type StopReason } from '../jobs/state.ts';
import { move } from '../jobs/move-store.ts';
import { closeAttempt, lockJob } from '../jobs/store.ts';
import type { Offer } from '../protocol/quote.ts';
import type { Provider, SeenInstance } from '../providers/provider.ts';
import type { Accrue } from '../shares/usage.ts';
import { chargeMachines } from './charge.ts';
import { endingOf, endOf, type Around } from './ending.ts';
import { endOfRunning, lastHeard } from './cost.ts';
import { isUp, mayDestroy, type Limits } from './plan.ts';
import { findAttempt, type AttemptRow, type MachineRow } from './attempt-store.ts';
import { longestFor } from './shortage.ts';
import { listShortages } from './shortage-store.ts';
import { countEvictions, markGone } from './store.ts';

export type SettleDeps = {
  db: Database;
  now: Clock;
  provider: (name: string) => Provider;
  limits: () => Limits;
  /** Writes use and charge; answers the micro-dollars charged. */
  accrue: Accrue;
  refund: (
    tx: Sql,
    line: { tenantId: string; jobId: string; attempt: number; amount: number; note: string; at: Date },
  ) => Promise<unknown>;
  release: (
    tx: Sql,
    line: { tenantId: string; jobId: string; attempt: number; note: string; at: Date },
  ) => Promise<unknown>;
  promote: (tx: Sql, jobId: string, attempt: number, at: Date) => Promise<unknown>;
  /** When the job last had a checkpoint stored whole. */
  lastCheckpointAt: (tx: Sql, jobId: string) => Promise<Date | null>;
  /** The quote of a job that succeeded is to be compared with what came. */
  insertDue: (tx: Sql, jobId: string, at: Date) => Promise<unknown>;
  wakeCalibrate: (jobId: string) => Promise<void>;
  wakeAgain: (attemptId: string, delayMs: number) => Promise<void>;
  wakeDispatch: () => void;
  retryBackoffMs: number;
};

/** A machine is looked for again after a tenth of the time that its attempt has been stopping: clouds take from a second to minutes. */
const lookAgainPart = 0.1;
const soonestMs = 100;
const latestMs = 5_000;

/**
 * Ends an attempt whose job is stopping: takes its machines away until the provider no longer shows them, then closes the
 * accounts and gives the job its end state, or its place in the queue again. Repeatable at any point.
 */
export function createSettle(deps: SettleDeps) {
  return async (attemptId: string): Promise<void> => {
    const attempt = await findAttempt(deps.db.client, attemptId);
    if (attempt === undefined || attempt.finishedAt !== null || attempt.job.state !== 'stopping') return;
    const isClear = await takeAway(attempt, deps);
    if (!isClear) return deps.wakeAgain(attemptId, lookAgainMs(attempt, deps.now()));
    const isDue = await deps.db.transaction((tx) => close(tx, attempt, deps));
    deps.wakeDispatch();
    if (isDue) await deps.wakeCalibrate(attempt.jobId);
  };
}

function lookAgainMs({ stoppingAt }: AttemptRow, now: Date): number {
  const sinceMs = now.getTime() - (stoppingAt ?? now).getTime();
  return Math.min(latestMs, Math.max(soonestMs, sinceMs * lookAgainPart));
}

/** True when no machine of the attempt is shown any more. */
async function takeAway(attempt: AttemptRow, { db, now, provider, limits }: SettleDeps): Promise<boolean> {
  const left = attempt.instances.filter(({ state }) => state !== 'gone');
  const mayGo = (row: MachineRow, isListed: boolean): boolean => {
    return mayDestroy(attempt, { isListed, hasReported: row.reported !== null }, limits());
  };
  // Asking what is there costs calls of the cloud: only where the answer decides.
  const isDecided = left.every((row) => mayGo(row, true));
  const before = isDecided ? undefined : await listed(left, provider);
  const due = left.filter((row) => mayGo(row, before === undefined || isUp(before.get(row.name))));
  const failures = await destroyEach(due, attempt.offer, provider);
  const still = await listed(left, provider);
  for (const row of left) {
    if (still.has(row.name)) continue;
    const [at, heardAt] = [now(), lastHeard(row, attempt)];
    const isRecent = at.getTime() - (heardAt ?? row.requestedAt).getTime() <= limits().leaseMs;
    // One that ended while weir was away is not paid until weir came back.
    const recorded = isRecent ? undefined : await provider(row.provider).endedAt?.(row);
    await markGone(db.client, row.id, isRecent ? at : endOfRunning({ ...row, heardAt, recorded }, at));
  }
  const isClear = left.every(({ name }) => !still.has(name));
  if (!isClear && failures.length > 0) throw failures[0];
  return isClear;
}

/** One that can't be helped must not keep the others from it, nor from being seen to be gone. Answers what went wrong. */
async function destroyEach(
  rows: MachineRow[],
  { machineType }: Offer,
  provider: SettleDeps['provider'],
): Promise<unknown[]> {
  const failures: unknown[] = [];
  for (const { provider: seller, name, zone } of rows)
    await provider(seller)
      .destroy({ name, zone, machineType })
      .catch((error: unknown) => failures.push(error));
  return failures;
}

async function listed(instances: MachineRow[], provider: SettleDeps['provider']): Promise<Map<string, SeenInstance>> {
  const seen = new Map<string, SeenInstance>();
  for (const providerName of new Set(instances.map((row) => row.provider))) {
    for (const instance of await provider(providerName).list()) seen.set(instance.name, instance);
  }
  return seen;
}

/** True where the job's quote is now to be compared with what came. */
async function close(tx: Sql, { id: attemptId, jobId }: AttemptRow, deps: SettleDeps): Promise<boolean> {
  await lockJob(tx, jobId);
  const attempt = await findAttempt(tx, attemptId);
  if (attempt === undefined || attempt.finishedAt !== null || attempt.job.state !== 'stopping') return false;
  const { number, costMicroUsd: before } = attempt;
  const at = deps.now();
  const reason = reasonOf(attempt);
  const ending = endingOf(attempt, reason);
  const { to } = ending;
  const state: EndState = to === 'queued' ? outcomes[reason].end : to;
  const lostSeconds = to === 'queued' ? lostSecondsOf(attempt, await deps.lastCheckpointAt(tx, jobId)) : 0;
  const set = endOf(attempt, { to, reason, at }, await aroundOf(tx, attempt, at, deps));
  await move(tx, { ...ending, jobId, from: 'stopping', at, attempt: number, set });
  if (attempt.instances.some(({ reported }) => reported !== null)) await deps.promote(tx, jobId, number, at);
  const isDue = to === 'succeeded' || (to === 'failed' && reason === 'max-duration');
  if (isDue) await deps.insertDue(tx, jobId, at);
  // Late, since others of the tenant wait for its accounts from here to the end.
  const charged = await closeAccounts(tx, { attempt, reason, at }, deps);
  await closeAttempt(tx, { jobId, attemptId, state, reason, at, lostSeconds, charged, before });
  return isDue;
}

/** Why it ended. One that was asked to make way and came to its own end meanwhile has done its work. */
function reasonOf({ reason, preemptedFor, instances }: AttemptRow): StopReason {
  const hasCompleted = instances.every(({ reported }) => reported?.reason === 'completed');
  return preemptedFor !== null && hasCompleted ? 'completed' : ((reason ?? 'runner-error') as StopReason);
}

/** Answers what the attempt is charged in all. */
async function closeAccounts(
  tx: Sql,
  { attempt, reason, at }: { attempt: AttemptRow; reason: StopReason; at: Date },
  { accrue, refund, release }: SettleDeps,
): Promise<MicroUsd> {
  const { tenantId, jobId, number } = attempt;
  const line = { tenantId, jobId, attempt: number, at };
  const closing = { ...line, note: `Attempt ${number} ended.` };
  if (outcomes[reason].cause !== 'infrastructure') return chargeMachines(tx, attempt, { until: at, accrue, closing });
  const charged = await chargeMachines(tx, attempt, { until: at, accrue });
  if (charged > 0) await refund(tx, { ...line, amount: charged, note: `Attempt ${number} failed by ${reason}.` });
  await release(tx, closing);
  return 0;
}

async function aroundOf(
  tx: Sql,
  { jobId, reason, offer }: AttemptRow,
  at: Date,
  { retryBackoffMs }: SettleDeps,
): Promise<Around> {
  const isShort = reason === 'no-capacity';
  const shortage = isShort ? longestFor(await listShortages(tx, at), offer) : undefined;
  const evictions = reason === 'preemption' ? await countEvictions(tx, jobId) : 0;
  return { zonesAvailable: shortage?.zonesAvailable ?? [], evictions, retryBackoffMs };
}

/** What it ran and has to run again: all since its last checkpoint. Notice that was used for one costs nothing. */
function lostSecondsOf({ startedAt, stoppingAt }: AttemptRow, checkpointAt: Date | null): number {
  if (startedAt === null || stoppingAt === null) return 0;
  const keptUntil = Math.max(startedAt.getTime(), checkpointAt?.getTime() ?? 0);
  return Math.max(0, stoppingAt.getTime() - keptUntil) / 1000;
}
