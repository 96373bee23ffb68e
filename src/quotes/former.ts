import type { Quote, QuoteOption } from '../protocol/quote.ts';

type Part = 'phases' | 'pareto' | 'breakdown';

/** Quotes are kept as they were answered: those of earlier versions lack what answers have got since. */
type FormerOption = Omit<QuoteOption, Part> & Partial<Pick<QuoteOption, Part>>;
type FormerQuote = Omit<Quote, 'options' | 'workload'> & {
  options: FormerOption[];
  workload: Omit<Quote['workload'], 'mostTelling'> & Partial<Pick<Quote['workload'], 'mostTelling'>>;
};

/** A stored answer as a quote of today. What it did not split is training, and what it did not say it says nothing of. */
export function toQuote(answer: unknown): Quote {
  const quote = answer as FormerQuote;
  // All options of an answer are of one version, and there may be hundreds.
  const isOfToday = quote.workload.mostTelling !== undefined && quote.options.slice(0, 1).every(isWhole);
  if (isOfToday) return quote as Quote;
  const { workload } = quote;
  return {
    ...quote,
    workload: { ...workload, mostTelling: workload.mostTelling ?? null },
    options: quote.options.map(toOption),
  };
}

const noParts: QuoteOption['breakdown'] = {
  computeUsd: 0,
  provisioningUsd: 0,
  setupUsd: 0,
  transferUsd: 0,
  checkpointUsd: 0,
  preemptionUsd: 0,
  storageUsd: 0,
  egressUsd: 0,
};

function isWhole({ phases, pareto, breakdown }: FormerOption): boolean {
  return (
    phases !== undefined && pareto !== undefined && Object.keys(noParts).every((part) => part in (breakdown ?? {}))
  );
}

function toOption(option: FormerOption): QuoteOption {
  const { durationSeconds, costUsd, start, breakdown = { computeUsd: costUsd.p50 } } = option;
  return {
    ...option,
    breakdown: { ...noParts, ...breakdown },
    phases: option.phases ?? {
      provisioningSeconds: start.p50Seconds,
      setupSeconds: 0,
      transferSeconds: 0,
      trainingSeconds: durationSeconds.p50,
      checkpointSeconds: 0,
      preemptionSeconds: 0,
    },
    pareto: option.pareto ?? false,
  };
}
