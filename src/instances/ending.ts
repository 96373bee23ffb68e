import { parseDuration } from '../core/time.ts';
import { afterShortage, backoffAfter, elsewhereFirst, isOfPlace, onDemandFirst, placeOf } from '../jobs/retry.ts';
import { after, defaultRetries, type EndState, type StopReason } from '../jobs/state.ts';
import type { JobSpec } from '../protocol/job-spec.ts';
import type { Offer, QuoteOption } from '../protocol/quote.ts';
import type { AttemptRow } from './store.ts';

/** What is known besides the row: where the provider said it has such machines, and how often this job lost a spot machine. */
export type Around = { zonesAvailable: readonly string[]; evictions: number; retryBackoffMs: number };

/** Where the job goes now. What would be tried again is not once its tenant has cancelled it. */
export function endingOf({ job, number, message, exitCode, offer, preemptedFor }: AttemptRow, reason: StopReason) {
  const { retries } = job.spec as unknown as JobSpec;
  const isMakingWay = preemptedFor !== null;
  const hadNoChance = isMakingWay || reason === 'no-capacity';
  const to = hadNoChance
    ? 'queued'
    : after({ reason, exitCode }, job.failedAttempts + 1, { ...defaultRetries, ...retries });
  const why = message ?? 'It ended.';
  if (to !== 'queued') return { to, reason, message: why };
  if (job.stopRequestedAt !== null)
    return { to: 'cancelled', reason: 'cancelled', message: `Cancelled by its tenant. ${why}` } as const;
  if (hadNoChance) return { to, reason, message: `Attempt ${number} ended: ${why}` };
  const place = placeOf(offer as unknown as Offer);
  const elsewhere = isOfPlace(reason) ? `, first elsewhere than on ${place} where the quote has another place` : '';
  return { to, reason, message: `Attempt ${number} ended: ${why} It will be tried again${elsewhere}.` };
}

/** What else changes on the job's row. A retried job keeps its place, since its time in the queue stays. */
export function endOf(
  { job, reason, offer: row, preemptedFor }: AttemptRow,
  to: EndState | 'queued',
  at: Date,
  { zonesAvailable, evictions, retryBackoffMs }: Around,
) {
  if (to !== 'queued') return { finishedAt: at };
  // It did not fail: it made way, and may go on as soon as there is a place.
  if (preemptedFor !== null) return {};
  const offer = row as unknown as Offer;
  const options = job.options as unknown as QuoteOption[];
  // Nor did it where there was no machine: the next offer is tried at once, and this one when it may be asked for again.
  if (reason === 'no-capacity') return { options: afterShortage(options, offer, zonesAvailable) };
  const { retries } = job.spec as unknown as JobSpec;
  const firstMs = retries?.backoff === undefined ? retryBackoffMs : parseDuration(retries.backoff);
  const elsewhere = isOfPlace(reason) ? elsewhereFirst(options, offer) : options;
  const isTaken = reason === 'preemption' && offer.market === 'spot';
  const goesOnDemand = isTaken && evictions >= (retries?.onDemandAfter ?? Infinity);
  return {
    failedAttempts: job.failedAttempts + 1,
    notBefore: new Date(at.getTime() + backoffAfter(job.failedAttempts, firstMs)),
    options: goesOnDemand ? onDemandFirst(elsewhere) : elsewhere,
  };
}
