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

/**
 * The options after a shortage: the same machine where the provider says that it has some, then in the other zones of the region,
 * then the others in the order of the quote; what there was none of comes last.
 */
export function afterShortage(options: QuoteOption[], short: Offer, zonesAvailable: readonly string[]): QuoteOption[] {
  const ranks = options.map(({ offer }) => {
    if (offer.id === short.id) return zonesAvailable.length + 2;
    if (!isSameMachine(offer, short)) return zonesAvailable.length + 1;
    const named = zonesAvailable.indexOf(offer.zone ?? '');
    if (named !== -1) return named;
    return offer.region === short.region ? zonesAvailable.length : zonesAvailable.length + 1;
  });
  return options
    .map((option, index) => ({ option, rank: ranks[index] ?? 0 }))
    .toSorted((a, b) => a.rank - b.rank)
    .map(({ option }) => option);
}

/** Who lost spot machines too often goes on where none is taken away. */
export function onDemandFirst(options: QuoteOption[]): QuoteOption[] {
  const isSpot = ({ offer }: QuoteOption) => offer.market === 'spot';
  return [...options.filter((option) => !isSpot(option)), ...options.filter(isSpot)];
}

function isSameMachine(a: Offer, b: Offer): boolean {
  return a.provider === b.provider && a.machineType === b.machineType && a.market === b.market && a.nodes === b.nodes;
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
