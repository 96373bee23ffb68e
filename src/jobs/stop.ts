import type { Clock } from '../core/time.ts';
import type { Database, Sql } from '../db/database.ts';
import type { StopReason } from './state.ts';
import { move } from './store.ts';

export type StopDeps = { db: Database; now: Clock; wakeSettle: (attemptId: string) => Promise<void> };

export type Stop = (jobId: string, reason: StopReason, message: string, exitCode?: number | null) => Promise<boolean>;

/**
 * The one way out: success, failure, cancel, limit or lost machine, each only says so here. Settling does the rest.
 * False where the job was not provisioning or running: the first reason stays.
 */
export function createStop({ db, now, wakeSettle }: StopDeps): Stop {
  return async (jobId, reason, message, exitCode = null) => {
    const attemptId = await db.transaction((tx) => stopIn(tx, { jobId, reason, message, exitCode, at: now() }));
    if (attemptId !== undefined) await wakeSettle(attemptId);
    return attemptId !== undefined;
  };
}

type Stopping = { jobId: string; reason: StopReason; message: string; exitCode: number | null; at: Date };

/** The same within a transaction. Answers the attempt that now has to be settled. */
export async function stopIn(tx: Sql, { jobId, reason, message, exitCode, at }: Stopping): Promise<string | undefined> {
  const attempt = await tx.attempt.findFirst({ where: { jobId, finishedAt: null }, select: { id: true, number: true } });
  if (attempt === null) return undefined;
  const change = { jobId, to: 'stopping', at, attempt: attempt.number, reason, message } as const;
  const isStopped = (await move(tx, { ...change, from: 'running' })) || (await move(tx, { ...change, from: 'provisioning' }));
  if (!isStopped) return undefined;
  await tx.attempt.update({ where: { id: attempt.id }, data: { state: 'stopping', reason, message, exitCode, stoppingAt: at } });
  return attempt.id;
}
