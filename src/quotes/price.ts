import { priceFor, toUsd, type MicroUsd } from '../core/money.ts';
import type { QuoteOption } from '../protocol/quote.ts';
import type { Market } from './catalogue.ts';
import type { Percentiles } from './interval.ts';

/** Persistent disk beside the machine: $0.10 a GiB and month (pd-balanced, us-central1). */
const microUsdPerGiBHour = 100_000 / 730;

/** To the Internet: $0.12 a GiB. */
const egressMicroUsdPerGiB = 120_000;

const bytesPerGiB = 1024 ** 3;

/** Seconds between preemptions of one spot machine: the middle of what public traces show (0.7 to 10 h). */
const spotMeanUpSeconds = 6 * 3600;

/** What writing a checkpoint costs, and what coming back from one does, beside the machine's start. */
const checkpointSeconds = 60;
const restoreSeconds = 60;

export type Terms = {
  market: Market;
  nodes: number;
  microUsdPerHour: MicroUsd;
  startSeconds: { p50: number; p90: number };
  /** Zero where the disk is in the machine's price, as on the installation's own hardware. */
  diskGiB: number;
  egressBytes: number;
  /** Seconds between checkpoints; null where the job writes none, undefined where it writes them when it likes. */
  checkpointEverySeconds: number | null | undefined;
};

export type Priced = Pick<QuoteOption, 'durationSeconds' | 'costUsd' | 'breakdown'>;

/** What work of these durations costs on these terms: a machine is paid from its start, spot time twice where it is lost. */
export function priced(work: Percentiles, terms: Terms): Priced {
  const p10 = costOf(work.p10, terms);
  const p50 = costOf(work.p50, terms);
  const p90 = costOf(work.p90, terms);
  return {
    durationSeconds: { p10: round(p10.seconds), p50: round(p50.seconds), p90: round(p90.seconds) },
    costUsd: { p10: toUsd(p10.total), p50: toUsd(p50.total), p90: toUsd(p90.total) },
    breakdown: {
      computeUsd: toUsd(p50.compute),
      provisioningUsd: toUsd(p50.provisioning),
      preemptionUsd: toUsd(p50.preemption),
      storageUsd: toUsd(p50.storage),
      egressUsd: toUsd(p50.egress),
    },
  };
}

function costOf(seconds: number, terms: Terms) {
  const withInterruptions = paidSeconds(seconds, terms);
  const compute = priceFor(terms.microUsdPerHour, seconds * 1000);
  const provisioning = priceFor(terms.microUsdPerHour, terms.startSeconds.p50 * 1000);
  const preemption = priceFor(terms.microUsdPerHour, (withInterruptions - seconds) * 1000);
  const storage = Math.ceil((terms.diskGiB * terms.nodes * microUsdPerGiBHour * withInterruptions) / 3600);
  const egress = Math.ceil((terms.egressBytes / bytesPerGiB) * egressMicroUsdPerGiB);
  return {
    seconds: withInterruptions,
    compute,
    provisioning,
    preemption,
    storage,
    egress,
    total: compute + provisioning + preemption + storage + egress,
  };
}

/**
 * Paid seconds of so many useful ones. With checkpoints T(1 + C/τ)(1 + (τ/2 + R)/M), τ = √(2CM) where the spec does not say;
 * without, every preemption starts the work anew: (M + R)(e^(T/M) − 1).
 */
export function paidSeconds(
  seconds: number,
  {
    market,
    nodes,
    startSeconds,
    checkpointEverySeconds,
  }: Pick<Terms, 'market' | 'nodes' | 'startSeconds' | 'checkpointEverySeconds'>,
): number {
  if (market === 'on-demand') return seconds;
  const meanUp = spotMeanUpSeconds / nodes;
  if (checkpointEverySeconds === null)
    return (
      (meanUp + startSeconds.p50) * Math.expm1(Math.min(seconds / meanUp, largestExponent)) +
      Math.max(0, seconds - largestExponent * meanUp)
    );
  const every = checkpointEverySeconds ?? Math.sqrt(2 * checkpointSeconds * meanUp);
  const restart = startSeconds.p50 + restoreSeconds;
  return seconds * (1 + checkpointSeconds / every) * (1 + (every / 2 + restart) / meanUp);
}

/** Beyond e^20 attempts a figure says no more than "never". */
const largestExponent = 20;

/** Whether work without checkpoints is so long that spot machines would hardly ever let it finish. */
export function hardlyFinishesOnSpot(
  seconds: number,
  { market, nodes, checkpointEverySeconds }: Pick<Terms, 'market' | 'nodes' | 'checkpointEverySeconds'>,
): boolean {
  return market === 'spot' && checkpointEverySeconds === null && seconds > (3 * spotMeanUpSeconds) / nodes;
}

const round = (seconds: number): number => Math.round(seconds * 1000) / 1000;
