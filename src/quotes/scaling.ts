import { fromUsd, priceFor, toUsd } from '../core/money.ts';
import type { Static } from 'typebox';
import type { QuoteOption, Scaling } from '../protocol/quote.ts';
import { ofOneTask, tasksOf } from './array.ts';
import { smallestCountThatHolds } from './memory.ts';
import { modelSeconds } from './predict.ts';
import { gangOf } from './speed.ts';
import type { StoredQuote } from './store.ts';
import { resolveWork, type Work } from './work.ts';

type Curve = Static<typeof Scaling>;
type Point = Curve['points'][number];

/** Doublings below and above the quoted count that the curve shows. */
const doublings = 4;

/**
 * A doubling that adds more than so much to the cost does not pay: the time it saves is bought at twice its share. At perfect scaling
 * a doubling costs nothing; MLPerf's add 10 % in the middle, and 38 % at p90.
 */
const worthwhileRise = 0.2;

/** Nor does one that saves less than so much of the time, as where preparation is most of it. */
const worthwhileSaving = 0.2;

/**
 * Time and cost against the number of accelerators, around the recommended option and at its price per accelerator: of one task
 * where the job is an array. Where only a duration is known, nothing can be said but the quoted point.
 */
export function scalingOf({ quote, spec }: StoredQuote): Curve {
  const quoted = quote.options.find(({ id }) => id === quote.recommended) ?? quote.options[0];
  if (quoted === undefined) return { points: [], payingUpTo: null };
  const option = ofOneTask(quoted, tasksOf(spec));
  const work = resolveWork(spec.workload);
  const gang = gangOf(option.offer);
  const quotedSeconds = modelSeconds(spec, work, gang);
  const points = countsAround(gang.count, work, gang.kind).flatMap((accelerators) => {
    const seconds = modelSeconds(spec, work, { ...gang, count: accelerators });
    if (seconds === undefined || quotedSeconds === undefined) return [];
    // History corrects the quoted point; the model says only how the others lie to it.
    return [pointAt(accelerators, seconds / quotedSeconds, option)];
  });
  return { points, payingUpTo: payingUpTo(points) };
}

function countsAround(quoted: number, work: Work, kind: string): number[] {
  if (work.flops === null) return [quoted];
  const needed = smallestCountThatHolds(work, kind) ?? 0;
  return Array.from({ length: 2 * doublings + 1 }, (_, at) => quoted * 2 ** (at - doublings)).filter(
    (count) => Number.isInteger(count) && count >= needed,
  );
}

/** Time stretches with the model's; money with time and count, and what is paid by the gigabyte stays. */
function pointAt(count: number, stretch: number, option: QuoteOption): Point {
  const { offer, breakdown, phases } = option;
  const { p10, p50, p90 } = option.durationSeconds;
  const durationSeconds = { p10: p10 * stretch, p50: p50 * stretch, p90: p90 * stretch };
  const quoted = offer.accelerators.count * offer.nodes;
  const hourly = (fromUsd(offer.hourlyUsd) / quoted) * count;
  const byGigabyte = fromUsd(breakdown.storageUsd + breakdown.egressUsd);
  const costAt = (seconds: number): number =>
    toUsd(priceFor(hourly, (phases.provisioningSeconds + seconds) * 1000) + byGigabyte);
  return {
    accelerators: { kind: offer.accelerators.kind, count },
    durationSeconds,
    costUsd: { p10: costAt(durationSeconds.p10), p50: costAt(durationSeconds.p50), p90: costAt(durationSeconds.p90) },
  };
}

/** The count up to which each doubling pays; null where no two points can be compared. */
function payingUpTo(points: readonly Point[]): Curve['payingUpTo'] {
  if (points.length < 2) return null;
  let last = points[0];
  for (const [at, point] of points.entries()) {
    const before = points[at - 1];
    if (before === undefined) continue;
    const rise = point.costUsd.p50 / before.costUsd.p50 - 1;
    const saving = 1 - point.durationSeconds.p50 / before.durationSeconds.p50;
    if (rise > worthwhileRise || saving < worthwhileSaving) break;
    last = point;
  }
  return last?.accelerators ?? null;
}
