import type { Clock } from '../core/time.ts';
import type { Database, Sql } from '../db/database.ts';
import { stopHeld } from '../jobs/stop.ts';
import type { StopReason } from '../jobs/state.ts';
import type { Report } from '../protocol/runner.ts';
import { isPilot } from '../quotes/pilot-store.ts';
import { holdAttempt, staleAttempt, type Runner } from './fence.ts';
import { readReports, recordReport } from './store.ts';

export type ReportDeps = { db: Database; now: Clock; wakeSettle: (attemptId: string) => Promise<void> };

/**
 * Takes a node's end. The first failure ends the gang; success needs every node. A job that is stopping already keeps its
 * reason. Repeating a report changes nothing.
 */
export function createReport({ db, now, wakeSettle }: ReportDeps) {
  return async ({ instance, attempt, job }: Runner, report: Report): Promise<void> => {
    await db.transaction(async (tx) => {
      const held = await holdAttempt(tx, job.id, attempt.number);
      if (!(await recordReport(tx, instance.id, report))) throw staleAttempt(attempt.number);
      const verdict = await judge(tx, attempt.id);
      if (verdict === undefined) return;
      const { exitCode } = verdict;
      await stopHeld(tx, held, {
        jobId: job.id,
        attempt: attempt.number,
        ...endOf(verdict, await isPilot(tx, job.id)),
        exitCode,
        at: now(),
      });
    });
    await wakeSettle(attempt.id);
  };
}

/** The report that decides for the attempt; undefined while nodes are still at work. */
async function judge(tx: Sql, attemptId: string): Promise<Report | undefined> {
  const reports = await readReports(tx, attemptId);
  const failure = reports.find((report) => report !== null && report.reason !== 'completed');
  if (failure) return failure;
  return reports.includes(null) ? undefined : (reports[0] ?? undefined);
}

/** A runner that stopped without being told was told by its machine: it was preempted. A pilot is meant to reach its limit. */
function endOf({ reason, message }: Report, isOfPilot: boolean): { reason: StopReason; message: string } {
  if (isOfPilot && reason === 'max-duration')
    return { reason: 'pilot-ended', message: 'The pilot ran as long as it may; its quote has what it measured.' };
  return { reason: reason === 'stopped' ? 'preemption' : reason, message };
}
