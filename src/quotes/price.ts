import { priceFor, toUsd, type MicroUsd } from '../core/money.ts';
import type { QuoteOption } from '../protocol/quote.ts';
import type { Percentiles } from './interval.ts';
import { checkpointingSeconds, interruptedSeconds, luckier, unluckier, type Interruptions } from './spot.ts';

/** Persistent disk beside the machine: $0.10 a GiB and month (pd-balanced, us-central1). */
const diskMicroUsdPerGiBHour = 100_000 / 730;

/** What is kept in a bucket: $0.020 a GiB and month (Cloud Storage Standard, us-central1). */
const keptMicroUsdPerGiBMonth = 20_000;

/** Outputs and the last checkpoint are taken to be kept so long. */
const keptMonths = 1;

const bytesPerGiB = 1024 ** 3;

export type Terms = {
  startSeconds: { p50: number; p90: number };
  nodes: number;
  /** Of each node; zero where the disk is in the machine's price, as on the installation's own hardware. */
  diskGiB: number;
  /** Kept in a bucket that is paid. */
  keptBytes: number;
  /** For what goes to other regions and to the Internet. */
  egressMicroUsd: MicroUsd;
  /** Of the work's seconds, what is not training. */
  setupShare: number;
  transferShare: number;
  interruptions: Interruptions;
};

/** What work takes on these terms, whatever an hour costs. */
export type Taken = Pick<QuoteOption, 'durationSeconds' | 'phases'> & {
  /** What has to be paid, with luck, in the middle, and without. */
  paid: { p10: Paid; p50: Paid; p90: Paid };
  /** The phases, not rounded. */
  spent: QuoteOption['phases'];
};

/** `seconds` of the machines, from their start; the rest is not by the hour. */
type Paid = { seconds: number; storage: MicroUsd; egress: MicroUsd };

/** What work of these durations takes: a machine is paid from its start, and time that is lost is paid again. */
export function takenBy(work: Percentiles, terms: Terms): Taken {
  const seconds = withInterruptions(work, terms.interruptions);
  const spent = phasesOf(work.p50, seconds.p50, terms);
  return {
    durationSeconds: { p10: rounded(seconds.p10), p50: rounded(seconds.p50), p90: rounded(seconds.p90) },
    phases: roundedPhases(spent),
    spent,
    paid: { p10: paidFor(seconds.p10, terms), p50: paidFor(seconds.p50, terms), p90: paidFor(seconds.p90, terms) },
  };
}

export function withInterruptions(work: Percentiles, interruptions: Interruptions): Percentiles {
  return {
    p10: interruptedSeconds(work.p10, luckier(interruptions)),
    p50: interruptedSeconds(work.p50, interruptions),
    p90: interruptedSeconds(work.p90, unluckier(interruptions)),
  };
}

function paidFor(seconds: number, { startSeconds, diskGiB, nodes, keptBytes, egressMicroUsd: egress }: Terms): Paid {
  const storage = Math.ceil(
    (diskGiB * nodes * diskMicroUsdPerGiBHour * seconds) / 3600 +
      (keptBytes / bytesPerGiB) * keptMicroUsdPerGiBMonth * keptMonths,
  );
  return { seconds: startSeconds.p50 + seconds, storage, egress };
}

/** Where the time of the middle goes. */
function phasesOf(work: number, seconds: number, terms: Terms): QuoteOption['phases'] {
  const { startSeconds, setupShare, transferShare, interruptions } = terms;
  const setup = work * setupShare;
  const transfer = work * transferShare;
  const checkpoints = checkpointingSeconds(work, interruptions);
  return {
    provisioningSeconds: startSeconds.p50,
    setupSeconds: setup,
    transferSeconds: transfer,
    trainingSeconds: work - setup - transfer,
    checkpointSeconds: checkpoints,
    preemptionSeconds: Math.max(0, seconds - work - checkpoints),
  };
}

function roundedPhases(phases: QuoteOption['phases']): QuoteOption['phases'] {
  return {
    provisioningSeconds: rounded(phases.provisioningSeconds),
    setupSeconds: rounded(phases.setupSeconds),
    transferSeconds: rounded(phases.transferSeconds),
    trainingSeconds: rounded(phases.trainingSeconds),
    checkpointSeconds: rounded(phases.checkpointSeconds),
    preemptionSeconds: rounded(phases.preemptionSeconds),
  };
}

/** What that costs where all machines together cost so much an hour. */
export function costsOf(
  { paid: { p10, p50, p90 }, spent }: Taken,
  microUsdPerHour: MicroUsd,
): Pick<QuoteOption, 'costUsd' | 'breakdown'> {
  const total = ({ seconds, storage, egress }: Paid): number =>
    toUsd(priceFor(microUsdPerHour, seconds * 1000) + storage + egress);
  return {
    costUsd: { p10: total(p10), p50: total(p50), p90: total(p90) },
    breakdown: breakdownOf(spent, p50, microUsdPerHour),
  };
}

/** Where the money of the middle goes; the parts sum to it. */
function breakdownOf(
  { provisioningSeconds, setupSeconds, transferSeconds, checkpointSeconds, preemptionSeconds }: QuoteOption['phases'],
  { seconds, storage, egress }: Paid,
  microUsdPerHour: MicroUsd,
): QuoteOption['breakdown'] {
  const priceOf = (partSeconds: number): MicroUsd => Math.round((microUsdPerHour * partSeconds) / 3600);
  const provisioning = priceOf(provisioningSeconds);
  const setup = priceOf(setupSeconds);
  const transfer = priceOf(transferSeconds);
  const checkpoint = priceOf(checkpointSeconds);
  const preemption = priceOf(preemptionSeconds);
  const others = provisioning + setup + transfer + checkpoint + preemption;
  return {
    computeUsd: toUsd(Math.max(0, priceFor(microUsdPerHour, seconds * 1000) - others)),
    provisioningUsd: toUsd(provisioning),
    setupUsd: toUsd(setup),
    transferUsd: toUsd(transfer),
    checkpointUsd: toUsd(checkpoint),
    preemptionUsd: toUsd(preemption),
    storageUsd: toUsd(storage),
    egressUsd: toUsd(egress),
  };
}

const rounded = (seconds: number): number => Math.round(seconds * 1000) / 1000;
