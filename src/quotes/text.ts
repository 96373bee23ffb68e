import type { Quote, QuoteOption } from '../protocol/quote.ts';

/**
 * A quote as JSON in one line. Its options are a few machines in many regions: the times that they share are written once a
 * quote; offers and reasons, which quotes share with each other, once for as long as they live.
 */
export function quoteText({ id, createdAt, expiresAt, workload, options, ...rest }: Quote): string {
  const shared = createWriter(new Map<Figures, string>(), figuresText);
  const head = JSON.stringify({ id, createdAt, expiresAt, workload });
  const items = options.map((option) => optionText(option, shared));
  return `${head.slice(0, -1)},"options":[${items.join()}],${JSON.stringify(rest).slice(1)}`;
}

type Figures = Readonly<Record<string, number>>;

const lasting = createWriter(new WeakMap<object, string>(), JSON.stringify);

/** Writes each object when it first meets it: none changes once it is in a quote. */
function createWriter<T extends object>(
  known: Pick<WeakMap<T, string>, 'get' | 'set'>,
  write: (part: T) => string,
): (part: T) => string {
  return (part) => {
    const found = known.get(part);
    if (found !== undefined) return found;
    const text = write(part);
    known.set(part, text);
    return text;
  };
}

/** For objects so small JSON.stringify takes most of its time to begin. */
function figuresText(figures: Figures): string {
  let text = '';
  for (const name in figures)
    text += `${text === '' ? '{' : ','}"${name}":${Number.isFinite(figures[name]) ? figures[name] : null}`;
  return `${text}}`;
}

function optionText(
  { id, offer, durationSeconds, costUsd, breakdown, phases, start, pareto, feasible, reasons }: QuoteOption,
  shared: (figures: Figures) => string,
): string {
  return (
    `{"id":"${id}","offer":${lasting(offer)},"durationSeconds":${shared(durationSeconds)}` +
    `,"costUsd":${figuresText(costUsd)},"breakdown":${figuresText(breakdown)},"phases":${shared(phases)}` +
    `,"start":${shared(start)},"pareto":${pareto},"feasible":${feasible},"reasons":${lasting(reasons)}}`
  );
}
