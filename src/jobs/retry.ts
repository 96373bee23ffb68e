import type { Offer, QuoteOption } from '../protocol/quote.ts';
import { outcomes, type StopReason } from './state.ts';

/** Whether the place where it ran had a part in this end. */
export function isOfPlace(reason: string | null): boolean {
  const cause = reason !== null && reason in outcomes ? outcomes[reason as StopReason].cause : 'job';
  return cause === 'infrastructure' || cause === 'preemption';
}

/** Where an offer is, as far as machines there share their fate: `gcp us-central1-a`. */
export function placeOf({ provider, region, zone }: Pick<Offer, 'provider' | 'region' | 'zone'>): string {
  return `${provider} ${zone ?? region}`;
}

/** The options for the next attempt: those elsewhere first, each part in the order of the quote. */
export function elsewhereFirst(options: QuoteOption[], failed: Offer): QuoteOption[] {
  const isThere = ({ offer }: QuoteOption) => placeOf(offer) === placeOf(failed);
  return [...options.filter((option) => !isThere(option)), ...options.filter(isThere)];
}

export type Tried = { offer: Offer; reason: string | null; preemptedFor: string | null };

/** Where earlier attempts failed by their place's doing, and this one was not brought again. Making way for another is no failure. */
export function avoidedBy(attempt: Tried, earlier: Tried[]): string[] {
  const failed = new Set(
    earlier
      .filter(({ reason, preemptedFor }) => isOfPlace(reason) && preemptedFor === null)
      .map(({ offer }) => placeOf(offer)),
  );
  failed.delete(placeOf(attempt.offer));
  return [...failed];
}

/** Later than this the next attempt need not be, unless its owner says so. */
const maxBackoffMs = 15 * 60_000;

/** The pause before the next attempt, after so many that failed before. */
export function backoffAfter(failedAttempts: number, firstMs: number): number {
  return Math.min(Math.max(maxBackoffMs, firstMs), firstMs * 2 ** failedAttempts);
}
