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
  microUsdPerHour: MicroUsd;
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

export type Priced = Pick<QuoteOption, 'durationSeconds' | 'costUsd' | 'breakdown' | 'phases'>;

/** What work of these durations costs on these terms: a machine is paid from its start, and time that is lost is paid again. */
export function priced(work: Percentiles, terms: Terms): Priced {
  const p10 = costOf(work.p10, luckier(terms.interruptions), terms);
  const p50 = costOf(work.p50, terms.interruptions, terms);
  const p90 = costOf(work.p90, unluckier(terms.interruptions), terms);
  return {
    durationSeconds: { p10: rounded(p10.seconds), p50: rounded(p50.seconds), p90: rounded(p90.seconds) },
    costUsd: { p10: toUsd(p10.total), p50: toUsd(p50.total), p90: toUsd(p90.total) },
    ...partsOf(work.p50, p50, terms),
  };
}

type Cost = { seconds: number; time: MicroUsd; storage: MicroUsd; egress: MicroUsd; total: MicroUsd };

function costOf(work: number, interruptions: Interruptions, terms: Terms): Cost {
  const { microUsdPerHour, startSeconds, diskGiB, nodes, keptBytes, egressMicroUsd: egress } = terms;
  const seconds = interruptedSeconds(work, interruptions);
  const time = priceFor(microUsdPerHour, (startSeconds.p50 + seconds) * 1000);
  const storage = Math.ceil(
    (diskGiB * nodes * diskMicroUsdPerGiBHour * seconds) / 3600 +
      (keptBytes / bytesPerGiB) * keptMicroUsdPerGiBMonth * keptMonths,
  );
  return { seconds, time, storage, egress, total: time + storage + egress };
}

/** Where the time and the money of the middle go; the parts of the money sum to it. */
function partsOf(work: number, cost: Cost, terms: Terms): Pick<Priced, 'breakdown' | 'phases'> {
  const { microUsdPerHour, startSeconds, setupShare, transferShare, interruptions } = terms;
  const setup = work * setupShare;
  const transfer = work * transferShare;
  const checkpoints = checkpointingSeconds(work, interruptions);
  const preemption = Math.max(0, cost.seconds - work - checkpoints);
  const paid = (seconds: number): MicroUsd => Math.round((microUsdPerHour * seconds) / 3600);
  const others = [startSeconds.p50, setup, transfer, checkpoints, preemption].map(paid);
  const [provisioningUsd = 0, setupUsd = 0, transferUsd = 0, checkpointUsd = 0, preemptionUsd = 0] = others.map(toUsd);
  return {
    breakdown: {
      computeUsd: toUsd(Math.max(0, cost.time - others.reduce((sum, part) => sum + part, 0))),
      provisioningUsd,
      setupUsd,
      transferUsd,
      checkpointUsd,
      preemptionUsd,
      storageUsd: toUsd(cost.storage),
      egressUsd: toUsd(cost.egress),
    },
    phases: {
      provisioningSeconds: rounded(startSeconds.p50),
      setupSeconds: rounded(setup),
      transferSeconds: rounded(transfer),
      trainingSeconds: rounded(work - setup - transfer),
      checkpointSeconds: rounded(checkpoints),
      preemptionSeconds: rounded(preemption),
    },
  };
}

const rounded = (seconds: number): number => Math.round(seconds * 1000) / 1000;
