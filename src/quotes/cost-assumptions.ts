import { formatDuration } from '../core/time.ts';
import type { JobSpec } from '../protocol/job-spec.ts';
import type { QuoteOption } from '../protocol/quote.ts';
import { checkpointSeconds } from './overhead.ts';
import { bestInterval, isSpotTraced, spotMeanUpSeconds } from './spot.ts';
import { everySeconds, type Around } from './terms.ts';

type Costs = { spec: JobSpec; around: Around; options: readonly QuoteOption[]; best: QuoteOption | undefined };

/** What is taken for granted of all that costs time and money beside the training. */
export function costAssumptions({ spec, around, options, best }: Costs): string[] {
  const isCloud = options.some(({ offer }) => offer.provider !== 'local');
  return [
    ...ofPreparation(around),
    ...ofTransfers(around, isCloud),
    ...(best === undefined ? [] : ofCheckpoints(spec, around, best)),
    ...ofSpot(options),
  ];
}

function ofPreparation({ overhead: { imageSeconds, setupSeconds, startUpSeconds } }: Around): string[] {
  const parts = [
    ...(imageSeconds > 0 ? [`pulling the image ${imageSeconds} s`] : []),
    ...(setupSeconds > 0 ? [`setup ${setupSeconds} s`] : []),
    ...(startUpSeconds > 0 ? [`start of the program ${startUpSeconds} s`] : []),
  ];
  return parts.length === 0 ? [] : [`Before the first step: ${parts.join(', ')}, as is usual.`];
}

function ofTransfers({ volumes, overhead, bucketRegion }: Around, isCloud: boolean): string[] {
  const { inputBytes, outputBytes } = volumes;
  const parts = [
    ...(inputBytes > 0 ? [`${size(inputBytes)} of inputs come in ${seconds(overhead.downloadSeconds)}`] : []),
    ...(outputBytes > 0 ? [`${size(outputBytes)} of outputs go in ${seconds(overhead.uploadSeconds)}`] : []),
  ];
  if (parts.length === 0) return [];
  const place = bucketRegion === null ? 'the machine’s region' : bucketRegion;
  return [
    `By the workload's figures ${parts.join(', ')}.`,
    ...(isCloud ? [`Buckets are taken to be in ${place}; outputs and the last checkpoint are kept for a month.`] : []),
  ];
}

function ofCheckpoints(spec: JobSpec, { volumes }: Around, { offer }: QuoteOption): string[] {
  const { market, nodes, accelerators } = offer;
  const writing = checkpointSeconds(volumes, nodes);
  const every = everySeconds(
    spec.checkpoints,
    bestInterval(writing, market, spotMeanUpSeconds(accelerators.kind) / nodes),
  );
  if (every === null) return [];
  const bytes = volumes.checkpointBytes === null ? 'of unknown size' : `of ${size(volumes.checkpointBytes)}`;
  const by = spec.checkpoints?.every === undefined ? ', which loses least' : '';
  return [`A checkpoint ${bytes} stops the training for ${seconds(writing)}, every ${formatDuration(every)}${by}.`];
}

function ofSpot(options: readonly QuoteOption[]): string[] {
  const offer = options.find((option) => option.offer.market === 'spot')?.offer;
  if (offer === undefined) return [];
  const { kind } = offer.accelerators;
  const hours = spotMeanUpSeconds(kind) / 3600;
  const basis = isSpotTraced(kind)
    ? 'as in public traces'
    : 'a judgement by how scarce they are, for public traces are of V100 alone';
  return [
    `A spot machine with ${kind} stays up ${hours} h on average where nothing else was seen (${basis}), twice as long at p10, half at p90.`,
  ];
}

function size(bytes: number): string {
  const [unit, scale] = bytes >= 1e12 ? ['TB', 1e12] : bytes >= 1e9 ? ['GB', 1e9] : ['MB', 1e6];
  return `${Number((bytes / scale).toPrecision(2))} ${unit}`;
}

const seconds = (value: number): string => (value < 1 ? 'under a second' : formatDuration(value));
