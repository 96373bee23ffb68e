import { formatUsd } from '../../src/core/money.ts';
import { formatDuration } from '../../src/core/time.ts';
import type { Quote, QuoteOption } from './generated/api.ts';
import { isTerminal, note, paint, print } from './screen.ts';
import { fields, table } from './table.ts';
import { machines, percent, range, when } from './words.ts';

const reasonsShown = 5;

/** The options that can be bought, the recommended one marked, and what the figures rest on. */
export function showQuote(quote: Quote, optionLimit: number): void {
  const feasible = quote.options.filter((option) => option.feasible);
  if (feasible.length === 0) showReasons(quote);
  showOptions(feasible.length > 0 ? feasible : quote.options, quote, optionLimit);
  print();
  fields(foundations(quote));
}

function showOptions(options: QuoteOption[], { id, recommended }: Quote, limit: number): void {
  const shown = options.slice(0, limit);
  if (shown.length === 0) return;
  table(
    [
      '',
      'machine',
      'provider',
      'region',
      'market',
      'an hour',
      'starts in',
      'takes',
      'p10 to p90',
      'costs',
      'p10 to p90',
    ],
    shown.map((option) => row(option, option.id === recommended)),
  );
  if (options.length > shown.length) note(`and ${options.length - shown.length} more: weir quote ${id} --all`);
}

function row({ offer, start, durationSeconds, costUsd }: QuoteOption, isRecommended: boolean): string[] {
  return [
    isRecommended ? '→' : '',
    machines(offer),
    offer.provider,
    offer.zone ?? offer.region,
    offer.market,
    formatUsd(offer.hourlyUsd),
    formatDuration(start.p50Seconds),
    formatDuration(durationSeconds.p50),
    range(durationSeconds, formatDuration),
    formatUsd(costUsd.p50),
    range(costUsd, formatUsd),
  ];
}

function showReasons({ options }: Quote): void {
  const reasons = [...new Set(options.flatMap((option) => option.reasons))].slice(0, reasonsShown);
  print(paint('yellow', 'No machine that can be had here can run this:'));
  for (const reason of reasons.length > 0 ? reasons : ['nothing is sold for it']) print(`  ${reason}`);
}

function foundations({
  id,
  workload,
  shareImpact,
  calibration,
  expiresAt,
  pilot,
}: Quote): [string, string | undefined][] {
  const { flops, basis, assumptions } = workload;
  const { before, after, window, cap } = shareImpact;
  const { runs, medianErrorPercent: error, coveragePercent: coverage } = calibration;
  return [
    ['quote', id],
    ['pilot', pilot?.message],
    ['work', flops === null ? `known as a duration, from ${basis}` : `${flops.toExponential(2)} FLOP, from ${basis}`],
    // In a pipe each row is read by its name.
    ...assumptions.map((text, index): [string, string] => [index === 0 || !isTerminal ? 'assumed' : '', text]),
    [
      'share',
      `${percent(before)} of the last ${window}, ${percent(after)} with it${cap === null ? '' : `, cap ${percent(cap)}`}`,
    ],
    [
      'past quotes',
      error === null
        ? undefined
        : `off by ${error.toFixed(0)} % (median of ${runs} runs)${coverage === null ? '' : `, ${coverage.toFixed(0)} % inside p10 to p90`}`,
    ],
    ['holds until', when(expiresAt)],
  ];
}
