import { WeirError } from '../core/errors.ts';
import { hashToken } from '../core/tokens.ts';
import type { Database, Sql } from '../db/database.ts';
import { activeStates } from '../jobs/state.ts';
import { lockJob, type LockedJob } from '../jobs/store.ts';
import { findSpeaker, type Speaker } from './store.ts';

export type Runner = {
  instance: { id: string; name: string; node: number };
  attempt: { id: string; number: number };
  job: { id: string; tenantId: string };
};

/**
 * Who speaks with this token, if it still may: the token of one node of the job's current attempt, while that has not ended.
 * @throws WeirError `unauthorized` for a token never given, `stale-attempt` for one whose attempt is over.
 */
export async function requireRunner(db: Database, token: string, attemptNumber: number): Promise<Runner> {
  const { instance, attempt, job, isCurrent } = await requireSpeaker(db, token);
  if (!isCurrent || attempt.number !== attemptNumber) throw staleAttempt(attemptNumber);
  return { instance, attempt, job };
}

/** @throws WeirError `unauthorized` for a token never given. */
export async function requireSpeaker(db: Database, token: string): Promise<Speaker> {
  const speaker = await findSpeaker(db, hashToken(token));
  if (speaker === undefined) throw new WeirError('unauthorized', 'This runner token is not known.');
  return speaker;
}

/**
 * The fence once more, for those who write, and held until the transaction ends: since `requireRunner` the attempt may have
 * ended.
 * @throws WeirError `stale-attempt`
 */
export async function holdAttempt(tx: Sql, jobId: string, attemptNumber: number): Promise<LockedJob> {
  const job = await lockJob(tx, jobId);
  const isActive = activeStates.some((state) => state === job?.state);
  if (job?.attemptNumber !== attemptNumber || !isActive) throw staleAttempt(attemptNumber);
  return job;
}

export function staleAttempt(attemptNumber: number): WeirError {
  return new WeirError('stale-attempt', `Attempt ${attemptNumber} is over: stop the job and leave.`);
}
