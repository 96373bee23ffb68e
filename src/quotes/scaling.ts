import { toUsd, fromUsd, priceFor } from '../core/money.ts';
import type { Static } from 'typebox';
import type { Scaling } from '../protocol/quote.ts';
import { smallestCountThatHolds } from './memory.ts';
import { modelSeconds } from './predict.ts';
import type { StoredQuote } from './store.ts';
import { resolveWork } from './work.ts';

type Curve = Static<typeof Scaling>;

/** Doublings below and above the quoted count that the curve shows. */
const doublings = 4;

/**
 * Time and cost against the number of accelerators, around the recommended option and at its price per accelerator. Where only a
 * duration is known, nothing can be said but the quoted point.
 */
export function scalingOf({ quote, spec }: StoredQuote): Curve {
  const option = quote.options.find(({ id }) => id === quote.recommended) ?? quote.options[0];
  if (option === undefined) return { points: [] };
  const { kind, count } = option.offer.accelerators;
  const quoted = count * option.offer.nodes;
  const work = resolveWork(spec.workload);
  const quotedSeconds = modelSeconds(spec, work, { kind, count: quoted });
  const needed = smallestCountThatHolds(work, kind) ?? 0;
  const counts =
    work.flops === null
      ? [quoted]
      : Array.from({ length: 2 * doublings + 1 }, (_, at) => quoted * 2 ** (at - doublings));
  const hourlyPerAccelerator = fromUsd(option.offer.hourlyUsd) / quoted;

  const points = counts.flatMap((accelerators) => {
    const seconds = modelSeconds(spec, work, { kind, count: accelerators });
    if (
      seconds === undefined ||
      quotedSeconds === undefined ||
      !Number.isInteger(accelerators) ||
      accelerators < needed
    )
      return [];
    // History corrects the quoted point; the model says only how the others lie to it.
    const stretch = seconds / quotedSeconds;
    const { p10, p50, p90 } = option.durationSeconds;
    const durationSeconds = { p10: p10 * stretch, p50: p50 * stretch, p90: p90 * stretch };
    const costOf = (duration: number): number => toUsd(priceFor(hourlyPerAccelerator * accelerators, duration * 1000));
    return [
      {
        accelerators: { kind, count: accelerators },
        durationSeconds,
        costUsd: {
          p10: costOf(durationSeconds.p10),
          p50: costOf(durationSeconds.p50),
          p90: costOf(durationSeconds.p90),
        },
      },
    ];
  });
  return { points };
}
