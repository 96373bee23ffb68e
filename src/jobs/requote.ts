import { isDeepStrictEqual } from 'node:util';
import { invalid, WeirError } from '../core/errors.ts';
import { formatUsd } from '../core/money.ts';
import type { Clock } from '../core/time.ts';
import type { JobSpec } from '../protocol/job-spec.ts';
import type { Measured, Quote, QuoteOption } from '../protocol/quote.ts';

/** What a submission is admitted by. `isNew`: not stored yet. */
export type HeldQuote = { quote: Quote; optionId: string | undefined; isNew: boolean };

/** The quote and perhaps the option that a submission names. */
export type Named = { quoteId: string; optionId: string | undefined; spec: JobSpec };

export type RequoteDeps = {
  now: Clock;
  /** Also by what a pilot measured. */
  quote: (tenantId: string, spec: JobSpec, measured: Measured | undefined) => Promise<Quote>;
  requireQuote: (tenantId: string, quoteId: string) => Promise<{ quote: Quote; spec: JobSpec }>;
  storeQuote: (tenantId: string, quote: Quote, spec: JobSpec) => Promise<unknown>;
};

export type HoldQuote = (tenantId: string, named: Named) => Promise<HeldQuote>;

/** By so much a job may have become dearer since it was quoted. */
const toleratedRise = 0.1;

/**
 * The quote that a submission names: as it is while it is live, so that its prices hold; anew where it has expired.
 * @throws WeirError `not-found`; `invalid` where the quote is of another spec, or its option's offer is gone; `dearer` where the job costs over a tenth more now,
 * with both figures and a live quote to submit with.
 */
export function createHoldQuote({ now, quote, requireQuote, storeQuote }: RequoteDeps): HoldQuote {
  return async (tenantId, { quoteId, optionId, spec }) => {
    const stored = await requireQuote(tenantId, quoteId);
    requireSameSpec(stored.spec, spec);
    if (Date.parse(stored.quote.expiresAt) > now().getTime()) return { quote: stored.quote, optionId, isNew: false };
    const { pilot } = stored.quote;
    const anew = await quote(tenantId, spec, pilot?.measured ?? undefined);
    // What was measured stays with the quote, for when this one has expired too.
    const fresh = pilot === undefined || pilot.measured === null ? anew : { ...anew, pilot };
    const before = optionId === undefined ? firstChoice(stored.quote) : optionOf(stored.quote, optionId);
    const today =
      optionId === undefined ? firstChoice(fresh) : fresh.options.find(({ offer }) => offer.id === before?.offer.id);
    const refusal = before && refusalOf(stored.quote, before, { fresh, today, isNamed: optionId !== undefined });
    if (refusal !== undefined) {
      await storeQuote(tenantId, fresh, spec);
      throw refusal;
    }
    return { quote: fresh, optionId: optionId && (today?.id ?? optionId), isNew: true };
  };
}

type Anew = { fresh: Quote; today: QuoteOption | undefined; isNamed: boolean };

function refusalOf(quoted: Quote, before: QuoteOption, { fresh, today, isNamed }: Anew): WeirError | undefined {
  if (today === undefined) return isNamed ? notSold(before, fresh) : undefined;
  return isDearer(before, today) ? dearer(quoted, before, { fresh, option: today }) : undefined;
}

/** What a job runs on whose submission names no option. */
function firstChoice(quote: Quote): QuoteOption | undefined {
  return optionOf(quote, quote.recommended) ?? quote.options.find(({ feasible }) => feasible);
}

function optionOf({ options }: Quote, optionId: string | null): QuoteOption | undefined {
  return options.find(({ id }) => id === optionId);
}

/** A source costs nothing, and is often packed once the quote has been looked at: it may be added. */
function requireSameSpec(quoted: JobSpec, submitted: JobSpec): void {
  const { source: _added, ...rest } = submitted;
  const spec: JobSpec = quoted.source === undefined ? rest : submitted;
  const changed = Object.keys({ ...quoted, ...spec }).filter(
    (key) => !isDeepStrictEqual(quoted[key as keyof JobSpec], spec[key as keyof JobSpec]),
  );
  if (changed.length === 0) return;
  throw new WeirError('invalid', 'The quote is of another spec; ask for a new quote, or leave quoteId out.', {
    faults: changed.map((key) => ({ pointer: `/${key}`, detail: 'This differs from the quoted spec.' })),
  });
}

function isDearer(before: QuoteOption, today: QuoteOption): boolean {
  return today.costUsd.p50 > before.costUsd.p50 * (1 + toleratedRise);
}

function notSold({ offer }: QuoteOption, fresh: Quote): WeirError {
  const what = `${offer.machineType} in ${offer.zone ?? offer.region} (${offer.market})`;
  return invalid('/optionId', `${what} is not sold any more: the quote ${fresh.id} has what is.`);
}

function dearer(
  quoted: Quote,
  before: QuoteOption,
  { fresh, option }: { fresh: Quote; option: QuoteOption },
): WeirError {
  const rise = before.costUsd.p50 === 0 ? null : Math.round((option.costUsd.p50 / before.costUsd.p50 - 1) * 1000) / 10;
  const byHow = rise === null ? '' : `, ${rise} % more`;
  return new WeirError(
    'dearer',
    `The quote ${quoted.id} expired at ${quoted.expiresAt}, and the job costs ${formatUsd(option.costUsd.p50)} now instead of ${formatUsd(before.costUsd.p50)}${byHow}: submit with quoteId ${fresh.id} to accept that.`,
    {
      extra: {
        quoted: figuresOf(quoted, before),
        requoted: figuresOf(fresh, option),
        risePercent: rise,
      },
    },
  );
}

function figuresOf({ id, expiresAt }: Quote, { id: optionId, offer, costUsd, durationSeconds }: QuoteOption) {
  return { quoteId: id, optionId, expiresAt, hourlyUsd: offer.hourlyUsd, costUsd, durationSeconds };
}
