import { fromUsd, priceFor, toUsd } from '../core/money.ts';
import { parseDuration } from '../core/time.ts';
import type { Static } from 'typebox';
import type { JobSpec } from '../protocol/job-spec.ts';
import type { QuoteOption, Scaling } from '../protocol/quote.ts';
import { ofOneTask, tasksOf } from './array.ts';
import type { Percentiles } from './interval.ts';
import { smallestCountThatHolds } from './memory.ts';
import { overheadOf, volumesOf } from './overhead.ts';
import { modelSeconds } from './predict.ts';
import { withInterruptions } from './price.ts';
import { gangOf } from './speed.ts';
import { hardlyFinishes, luckier, uninterruptedSeconds, unluckier, type Interruptions } from './spot.ts';
import type { StoredQuote } from './store.ts';
import { interruptionsOf } from './terms.ts';
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
 * where the job is an array. Counts at which it would not be done within maxDuration, or never finish on spot, are left out. Where
 * only a duration is known, nothing can be said but the quoted point.
 */
export function scalingOf({ quote, spec }: StoredQuote): Curve {
  const quoted = quote.options.find(({ id }) => id === quote.recommended) ?? quote.options[0];
  if (quoted === undefined) return { points: [], payingUpTo: null };
  const option = ofOneTask(quoted, tasksOf(spec));
  const work = resolveWork(spec.workload);
  const gang = gangOf(option.offer);
  const quotedSeconds = modelSeconds(spec, work, gang) ?? 0;
  const interruptionsAt = interruptionsOn(option, spec, work);
  const mostSeconds = spec.maxDuration === undefined ? Infinity : parseDuration(spec.maxDuration) / 1000;
  const whole = wholeWork(option, interruptionsAt(gang.count), { mostSeconds, modelled: quotedSeconds });
  const points = countsAround(gang.count, work, gang.kind).flatMap((count) => {
    const seconds = modelSeconds(spec, work, { ...gang, count });
    if (seconds === undefined || quotedSeconds === 0) return [];
    const interruptions = interruptionsAt(count);
    // History corrects the quoted point; the model says only how the others lie to it.
    const stretched = mapped(whole, (each) => (each * seconds) / quotedSeconds);
    const within = mapped(stretched, (each) => Math.min(mostSeconds, each));
    const isDone = stretched.p50 <= mostSeconds && !hardlyFinishes(within.p90, unluckier(interruptions));
    return isDone || count === gang.count ? [pointAt(count, withInterruptions(within, interruptions), option)] : [];
  });
  return { points, payingUpTo: payingUpTo(points) };
}

const mapped = ({ p10, p50, p90 }: Percentiles, change: (seconds: number) => number): Percentiles => ({
  p10: change(p10),
  p50: change(p50),
  p90: change(p90),
});

function interruptionsOn({ offer, phases }: QuoteOption, spec: JobSpec, work: Work): (count: number) => Interruptions {
  const { market, accelerators } = offer;
  const { kind } = accelerators;
  const around = { volumes: volumesOf(spec, work), overhead: overheadOf(spec, work, kind) };
  const startSeconds = { p50: phases.provisioningSeconds, p90: phases.provisioningSeconds };
  return (count) => {
    const nodes = Math.max(1, count / accelerators.count);
    return interruptionsOf({ market, kind, nodes, startSeconds }, spec, around);
  };
}

/** Of what was quoted, the work alone; where maxDuration cut it, the model says how much there is. */
function wholeWork(
  { durationSeconds: { p10, p50, p90 } }: QuoteOption,
  interruptions: Interruptions,
  { mostSeconds, modelled }: { mostSeconds: number; modelled: number },
): Percentiles {
  const work = {
    p10: uninterruptedSeconds(p10, luckier(interruptions)),
    p50: uninterruptedSeconds(p50, interruptions),
    p90: uninterruptedSeconds(p90, unluckier(interruptions)),
  };
  const roundedBy = 0.01;
  return mapped(work, (each) => (each < mostSeconds - roundedBy ? each : Math.max(each, modelled)));
}

function countsAround(quoted: number, work: Work, kind: string): number[] {
  if (work.flops === null) return [quoted];
  const needed = smallestCountThatHolds(work, kind) ?? 0;
  return Array.from({ length: 2 * doublings + 1 }, (_, at) => quoted * 2 ** (at - doublings)).filter(
    (count) => Number.isInteger(count) && count >= needed,
  );
}

/** Money goes with time and count, and what is paid by the gigabyte stays. */
function pointAt(count: number, durationSeconds: Percentiles, { offer, breakdown, phases }: QuoteOption): Point {
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
