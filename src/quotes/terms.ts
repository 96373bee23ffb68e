import type { MicroUsd } from '../core/money.ts';
import { parseDuration } from '../core/time.ts';
import type { JobSpec } from '../protocol/job-spec.ts';
import type { Candidate } from './candidates.ts';
import { checkpointSeconds, restoreSeconds, usualDiskGiB, type Overhead, type Volumes } from './overhead.ts';
import type { Terms } from './price.ts';
import { bestInterval, spotMeanUpSeconds, type Interruptions } from './spot.ts';

/** What a job moves and waits for, and where its bucket is: the same on every offer. */
export type Around = {
  volumes: Volumes;
  overhead: Overhead;
  /** Null where it is not known, and taken to be the machine's. */
  bucketRegion: string | null;
};

/** Cloud Storage between regions of one continent, and of two; to what is no cloud's, as to the Internet. Per GiB. */
const withinContinent = 20_000;
const betweenContinents = 80_000;
const toInternet = 120_000;

const bytesPerGiB = 1024 ** 3;

/** On what terms, but for the price of an hour, the job would run there. `seconds` is all its work, of which `around` is a part. */
export function termsOf(candidate: Candidate, spec: JobSpec, around: Around, seconds: number): Terms {
  const { nodes, startSeconds, isDiskExtra } = candidate;
  const { volumes, overhead } = around;
  const { imageSeconds, setupSeconds, startUpSeconds, downloadSeconds, uploadSeconds } = overhead;
  const share = (part: number): number => (seconds > 0 ? Math.min(1, part / seconds) : 0);
  return {
    startSeconds,
    nodes,
    diskGiB: isDiskExtra ? (spec.resources?.diskGiB ?? usualDiskGiB) : 0,
    keptBytes: isDiskExtra ? volumes.outputBytes + lastCheckpoint(spec, volumes) : 0,
    egressMicroUsd: egressOf(candidate, around),
    setupShare: share(imageSeconds + setupSeconds + startUpSeconds),
    transferShare: share(downloadSeconds + uploadSeconds),
    interruptions: interruptionsOf(candidate, spec, around),
  };
}

function lastCheckpoint({ checkpoints }: JobSpec, { checkpointBytes }: Volumes): number {
  return checkpoints === undefined ? 0 : (checkpointBytes ?? 0);
}

/** Inputs to every node and outputs back, and outputs of a cloud fetched once by whoever trained the model. */
function egressOf(candidate: Candidate, { volumes: { inputBytes, outputBytes }, bucketRegion }: Around): number {
  const carried = (inputBytes * candidate.nodes + outputBytes) * carriagePrice(candidate, bucketRegion);
  const fetched = candidate.isDiskExtra ? outputBytes * toInternet : 0;
  return Math.ceil((carried + fetched) / bytesPerGiB);
}

/** Of a GiB between the bucket and there. */
export function carriagePrice({ region, isDiskExtra }: Candidate, bucketRegion: string | null): MicroUsd {
  if (bucketRegion === null || region === bucketRegion) return 0;
  if (!isDiskExtra) return toInternet;
  return continentOf(region) === continentOf(bucketRegion) ? withinContinent : betweenContinents;
}

function continentOf(region: string): string {
  const [place = ''] = region.split('-');
  return place === 'northamerica' ? 'us' : place;
}

type Machines = Pick<Candidate, 'market' | 'nodes' | 'kind' | 'startSeconds'> &
  Partial<Pick<Candidate, 'spotMeanUpSeconds'>>;

export function interruptionsOf(
  machines: Machines,
  spec: JobSpec,
  { volumes, overhead }: Pick<Around, 'volumes' | 'overhead'>,
): Interruptions {
  const { market, nodes, kind, startSeconds } = machines;
  const writing = checkpointSeconds(volumes, nodes);
  const meanUp = (machines.spotMeanUpSeconds ?? spotMeanUpSeconds(kind)) / nodes;
  return {
    meanUpSeconds: market === 'spot' ? meanUp : Infinity,
    restartSeconds: startSeconds.p50 + restoreSeconds(overhead, volumes, nodes),
    everySeconds: everySeconds(spec.checkpoints, bestInterval(writing, market, meanUp)),
    checkpointSeconds: writing,
  };
}

/** As stated, else what loses least; null where the job writes none. */
export function everySeconds(checkpoints: JobSpec['checkpoints'], bestSeconds: number): number | null {
  if (checkpoints === undefined) return null;
  return checkpoints.every === undefined ? bestSeconds : parseDuration(checkpoints.every) / 1000;
}
