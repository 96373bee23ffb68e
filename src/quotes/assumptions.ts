import { dayMs, formatDuration } from '../core/time.ts';
import type { JobSpec } from '../protocol/job-spec.ts';
import type { Quote, QuoteOption } from '../protocol/quote.ts';
import { costAssumptions } from './cost-assumptions.ts';
import type { Spread } from './interval.ts';
import { effectivePrecision, supports } from './catalogue.ts';
import type { Catalogue } from './price-list.ts';
import { needsRecomputation, smallestCountThatHolds } from './memory.ts';
import type { Telling } from './telling.ts';
import type { Around } from './terms.ts';
import { languageKinds } from './transformer.ts';
import type { Wanted } from './wanted.ts';
import { tuningOf } from './tuning.ts';
import type { Work } from './work.ts';

export type QuotedOn = {
  spec: JobSpec;
  wanted: Wanted;
  /** How the stated count is read, where not as it stands. */
  reading: string | null;
  work: Work;
  spread: Spread;
  options: readonly QuoteOption[];
  around: Around;
  catalogue: Catalogue;
  now: Date;
  telling: Telling | undefined;
  /** The recommended option, else the first. */
  best: QuoteOption | undefined;
  /** What all of it takes there, where maxDuration stops it before. */
  wholeSeconds: number | undefined;
  /** Seconds that it waits in the queue. */
  wait: { p50: number; p90: number } | undefined;
};

/** What the quote rests on most: a pilot, earlier runs of the name where the spec says nothing of the work, else the spec. */
export function basisOf(work: Work, spread: Spread): Quote['workload']['basis'] {
  if (spread.measuredOn !== undefined) return 'pilot';
  return isOfHistory(work, spread) ? 'history' : work.basis;
}

function isOfHistory({ basis }: Work, { isOfSameName }: Spread): boolean {
  return basis === 'default' && isOfSameName;
}

/** Everything the quote takes for granted, in words, and last the field that would tell most. */
export function assumptionsOf(quoted: QuotedOn): string[] {
  return [
    ...(quoted.reading === null ? [] : [quoted.reading]),
    ...ofWork(quoted),
    ...ofSpeed(quoted.work, quoted.wanted.kind),
    ...ofBatch(quoted),
    ...ofMemory(quoted),
    ...ofQueue(quoted),
    ...costAssumptions(quoted),
    ...ofMarket(quoted),
    ...ofTelling(quoted),
  ];
}

function ofQueue({ best, wait }: QuotedOn): string[] {
  if (best === undefined || wait === undefined || wait.p90 === 0) return [];
  const { p50, p90 } = wait;
  return [
    `${best.offer.provider} is full now: the job waits about ${formatDuration(p50)} in the queue (p90 ${formatDuration(p90)}), if what runs and waits there takes as long as was quoted; start counts it.`,
  ];
}

/** Of a step on one accelerator, in public runs: below, what is fitted to them says little. */
const fewestTokens = 1000;

function ofBatch({ work: { kind, shape }, best }: QuotedOn): string[] {
  const { batchSize, sequenceLength } = shape;
  if (best === undefined || batchSize === null || sequenceLength === null || !languageKinds.has(kind)) return [];
  const count = countOf(best);
  const tokens = Math.round((batchSize * sequenceLength) / count);
  if (count === 1 || tokens >= fewestTokens) return [];
  return [
    `A batch of ${batchSize} leaves each of ${count} accelerators ${tokens} tokens a step: exchanging gradients between them may take several times as long as is quoted.`,
  ];
}

function ofMemory({ work, options, best, catalogue }: QuotedOn): string[] {
  if (best === undefined) return [];
  const count = countOf(best);
  const { kind } = best.offer.accelerators;
  const needed = smallestCountThatHolds(work, kind);
  if (needed === undefined) return [];
  if (options.every((option) => countOf(option) < needed))
    return [`Nothing listed holds the model: ${whatHolds(work, catalogue)} would.`];
  return needsRecomputation(work, { kind, count })
    ? [`${count} ${kind} hold the model only where activations are recomputed.`]
    : [];
}

const countOf = ({ offer }: QuoteOption): number => offer.accelerators.count * offer.nodes;

/** Of each kind that can, the least count. */
function whatHolds(work: Work, { kinds }: Catalogue): string {
  const counts = kinds.flatMap((kind) => {
    const count = smallestCountThatHolds(work, kind) ?? Infinity;
    return count === Infinity ? [] : [`${count} ${kind}`];
  });
  return counts.length === 0 ? 'a shorter sequence' : counts.join(', or ');
}

function ofTelling({ spread, telling }: QuotedOn): string[] {
  if (spread.calibration !== undefined || spread.measuredOn !== undefined) return [];
  if (telling === undefined) return ['A first finished job of this name would narrow the range most.'];
  const { field, factor } = telling;
  return [`Stating workload.${field} would narrow the range most, by a factor of up to ${factor}.`];
}

function ofWork({ spec: { name, maxDuration }, work, spread, wholeSeconds }: QuotedOn): string[] {
  const limit = [
    ...(maxDuration === undefined ? [] : [`No attempt takes longer than maxDuration, ${maxDuration}.`]),
    ...(wholeSeconds === undefined
      ? []
      : [`The whole is expected to take ${formatDuration(wholeSeconds)}, so it is stopped before it is done.`]),
    ...(spread.isBeyondStopped === true
      ? [`The last job of the name ${name} was stopped at its maxDuration, so the whole takes longer than that did.`]
      : []),
  ];
  const runs = spread.calibration?.runs;
  if (spread.measuredOn !== undefined)
    return [
      `The speed is a pilot's, on ${spread.measuredOn} of these; other counts follow it by the model, and as many of another machine type are taken to be as fast.`,
      ...limit,
    ];
  if (isOfHistory(work, spread))
    return [`The job takes as long as the last ${runs} finished of the name ${name}.`, ...limit];
  const alike = spread.isOfSameName ? `of the name ${name}` : 'described alike';
  const corrected = runs === undefined ? [] : [`Corrected by ${runs} finished jobs ${alike}.`];
  return [...work.assumptions, ...corrected, ...limit];
}

function ofSpeed(work: Work, accelerator: string): string[] {
  const { basis, kind, flops, precision } = work;
  const assumptions: string[] = [];
  if (tuningOf(work) > 0 && work.class === null)
    assumptions.push(
      'So few tokens for so many weights, or adapters, are fine-tuning: it keeps less of the peak than training anew, by public runs about half, and differs more.',
    );
  if (basis === 'flops' && kind === 'other') {
    assumptions.push(
      'workload.kind is not stated, so the speed is that of small models; a language model reaches about three times as much.',
    );
  }
  if (work.isLora && work.tokens === null && !work.isExampleAssumed)
    assumptions.push(
      `trainable: lora changes nothing of the time, which is not worked out from weights and tokens${work.parameters === null ? '' : '; it lowers the memory needed'}.`,
    );
  if (flops !== null && precision === null) {
    assumptions.push('precision is not stated: bf16 is assumed, or fp16 where there is no bf16; fp32 on cores.');
  }
  if (flops !== null && precision !== null && !supports(accelerator, precision)) {
    const effective = effectivePrecision(accelerator, precision);
    assumptions.push(`${accelerator} gains nothing from ${precision}: the speed is that of ${effective}.`);
  }
  return assumptions;
}

function ofMarket({ wanted: { kind }, options, catalogue, now }: QuotedOn): string[] {
  const { date } = catalogue;
  const sold = catalogue.offers(kind);
  if (sold.length === 0)
    return [`The catalogue of ${date} has no price for ${kind}, so nothing that a cloud sells of it is listed.`];
  if (options.length === 0) {
    const counts = [...new Set(sold.map(({ count }) => count))].toSorted((left, right) => left - right);
    const regions = [...new Set(sold.map(({ region }) => region))].toSorted();
    return [
      `Nothing sold fits the spec: the catalogue has ${kind} in machines of ${counts.join(', ')}, in ${regions.join(', ')}.`,
    ];
  }
  const isCloud = options.some(({ offer }) => offer.provider !== 'local');
  return isCloud
    ? [`Cloud prices are of ${date}, ${daysBetween(date, now)} days ago, or of the day that an offer states.`]
    : [];
}

function daysBetween(date: string, now: Date): number {
  return Math.max(0, Math.floor((now.getTime() - Date.parse(date)) / dayMs));
}
