import { parseDuration } from '../core/time.ts';
import type { Changes } from '../jobs/move-store.ts';
import { afterShortage, backoffAfter, elsewhereFirst, isOfPlace, onDemandFirst, placeOf } from '../jobs/retry.ts';
import { after, defaultRetries, type EndState, type StopReason } from '../jobs/state.ts';
import type { AttemptRow } from './attempt-store.ts';

/** What is known besides the row: where the provider said it has such machines, and how often this job lost a spot machine. */
export type Around = { zonesAvailable: readonly string[]; evictions: number; retryBackoffMs: number };

/** Where the job goes now. What would be tried again is not once it has been cancelled. */
export function endingOf(attempt: AttemptRow, reason: StopReason) {
  const { job, number, exitCode, offer, message, instances } = attempt;
  const hadNoChance = makesWay(attempt, reason) || reason === 'no-capacity';
  const to = hadNoChance
    ? 'queued'
    : after({ reason, exitCode }, job.failedAttempts + 1, { ...defaultRetries, ...job.retries });
  const why = (reason === attempt.reason ? message : instances[0]?.reported?.message) ?? 'It ended.';
  if (to !== 'queued') return { to, reason, message: why };
  if (job.isStopRequested) return { to: 'cancelled', reason: 'cancelled', message: `Cancelled. ${why}` } as const;
  if (hadNoChance) return { to, reason, message: `Attempt ${number} ended: ${why}` };
  const elsewhere = isOfPlace(reason)
    ? `, first elsewhere than on ${placeOf(offer)} where the quote has another place`
    : '';
  return { to, reason, message: `Attempt ${number} ended: ${why} It will be tried again${elsewhere}.` };
}

function makesWay({ preemptedFor }: AttemptRow, reason: StopReason): boolean {
  return preemptedFor !== null && reason === 'preemption';
}

type Ended = { to: EndState | 'queued'; reason: StopReason; at: Date };

/** What else changes on the job's row. A retried job keeps its place, since its time in the queue stays. */
export function endOf(
  attempt: AttemptRow,
  { to, reason, at }: Ended,
  { zonesAvailable, evictions, retryBackoffMs }: Around,
): Changes {
  if (to !== 'queued') return { finishedAt: at };
  // It did not fail: it made way, and may go on as soon as there is a place.
  if (makesWay(attempt, reason)) return {};
  const { offer, job } = attempt;
  const { options, retries, failedAttempts } = job;
  // Nor did it where there was no machine: the next offer is tried at once, and this one when it may be asked for again.
  if (reason === 'no-capacity') return { options: afterShortage(options, offer, zonesAvailable) };
  const firstMs = retries?.backoff === undefined ? retryBackoffMs : parseDuration(retries.backoff);
  const elsewhere = isOfPlace(reason) ? elsewhereFirst(options, offer) : options;
  const isTaken = reason === 'preemption' && offer.market === 'spot';
  const goesOnDemand = isTaken && evictions >= (retries?.onDemandAfter ?? Infinity);
  return {
    failedAttempts: failedAttempts + 1,
    notBefore: new Date(at.getTime() + backoffAfter(failedAttempts, firstMs)),
    options: goesOnDemand ? onDemandFirst(elsewhere) : elsewhere,
  };
}
