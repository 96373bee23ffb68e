import type { Sql } from '../db/database.ts';
import type { JobState } from '../protocol/job.ts';
import type { Offer, QuoteOption } from '../protocol/quote.ts';

/** Of a pilot's job, what it is judged by: its last attempt, and the option that ran on. */
export type PilotJob = {
  state: JobState;
  reason: string | null;
  message: string | null;
  progress: unknown;
  option: QuoteOption | undefined;
  attempt: { number: number; startedAt: Date; finishedAt: Date } | undefined;
};

/** Undefined where there is no such job. */
export async function findPilotJob(sql: Sql, jobId: string): Promise<PilotJob | undefined> {
  const job = await sql.job.findUnique({
    where: { id: jobId },
    include: { attempts: { orderBy: { number: 'desc' }, take: 1 } },
  });
  if (job === null) return undefined;
  const { state, reason, message, progress } = job;
  const [last] = job.attempts;
  const offerId = (last?.offer as unknown as Offer | undefined)?.id;
  const hasRun = last !== undefined && last.startedAt !== null && last.finishedAt !== null;
  return {
    state,
    reason,
    message,
    progress,
    option: (job.options as unknown as QuoteOption[]).find(({ offer }) => offer.id === offerId),
    attempt: hasRun ? { number: last.number, startedAt: last.startedAt, finishedAt: last.finishedAt } : undefined,
  } as PilotJob;
}
