import { formatUsd, fromUsd, toUsd, type MicroUsd } from '../core/money.ts';
import type { Clock } from '../core/time.ts';
import type { Database, Sql } from '../db/database.ts';
import { stopIn } from '../jobs/stop.ts';
import { lockJob, recordMoney } from '../jobs/store.ts';
import type { Held } from '../shares/ledger.ts';
import type { Posting } from '../shares/store.ts';
import type { Accrue } from '../shares/usage.ts';
import { chargeMachines } from './charge.ts';
import { findAttempt } from './attempt-store.ts';

export type MeterDeps = {
  db: Database;
  now: Clock;
  accrue: Accrue;
  /** What the job holds of its tenant's accounts. */
  held: (tx: Sql, jobId: string) => Promise<Held>;
  /** What the tenant may still reserve. Holds its accounts until the transaction ends. */
  budgetLeft: (tx: Sql, tenantId: string, now: Date) => Promise<MicroUsd>;
  reserve: (tx: Sql, posting: Posting & { amount: MicroUsd }) => Promise<unknown>;
  wakeSettle: (attemptId: string) => Promise<void>;
};

export type Meter = (attempt: { id: string; jobId: string; number: number }) => Promise<void>;

/**
 * Puts what a running attempt has cost into the accounts. Where its reservation is used up it reserves another hour, or what
 * the budget still has; where that has nothing left the job stops. Repeatable at any point.
 */
export function createMeter(deps: MeterDeps): Meter {
  return async ({ id, jobId, number }) => {
    const isStopped = await deps.db.transaction(async (tx) => {
      const job = await lockJob(tx, jobId);
      const isRunning = job?.state === 'provisioning' || job?.state === 'running';
      return isRunning && job.attemptNumber === number ? meterIn(tx, id, deps) : false;
    });
    if (isStopped) await deps.wakeSettle(id);
  };
}

async function meterIn(tx: Sql, attemptId: string, { now, accrue, held, budgetLeft, reserve }: MeterDeps) {
  const attempt = await findAttempt(tx, attemptId);
  if (attempt === undefined) return false;
  const { tenantId, jobId, number, offer } = attempt;
  const at = now();
  // First of all: who takes the accounts of a whole organisation takes them together, and all in one order.
  const budget = await budgetLeft(tx, tenantId, at);
  const before = await held(tx, jobId);
  const charged = await chargeMachines(tx, attempt, { until: at, accrue });
  const left = await held(tx, jobId);
  const beyondReserve = left.spent + left.reserved - (before.spent + before.reserved);
  const hourly = fromUsd(offer.hourlyUsd);
  const more = left.reserved > 0 ? 0 : Math.min(hourly, Math.max(0, budget - beyondReserve));
  if (more > 0) await reserve(tx, { tenantId, jobId, attempt: number, amount: more, note: 'It runs on.', at });
  const reserved = left.reserved + more;
  await recordMoney(tx, { jobId, attemptId, charged, before: attempt.costMicroUsd, reserved });
  if (reserved > 0) return false;
  const message = `The tenant's budget is used up: the job has cost ${formatUsd(toUsd(left.spent))}, and nothing is left to reserve.`;
  const stopped = await stopIn(tx, { jobId, attempt: number, reason: 'budget', message, exitCode: null, at });
  return stopped !== undefined;
}
