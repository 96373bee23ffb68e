import type { JobSpec } from '../protocol/job-spec.ts';
import { checkpointBytesOf } from './memory.ts';
import type { Work } from './work.ts';

/** What `setup` and a container image usually take before the command begins. */
const usualSetupSeconds = 30;
const usualImageSeconds = 60;

/**
 * From the command to its first step. On an accelerator a framework is loaded, the device opened and the step compiled: about ten
 * seconds for PyTorch in eager mode, by experience; compilers take minutes of some models. On cores: Python 3 takes 0.4 s, Node.js 0.2
 * (measured on two loaded cores).
 */
const acceleratedStartSeconds = 10;
const plainStartSeconds = 0.5;

/** Bytes a second between a bucket and one node: half of what a single 4 Gbit/s stream of Cloud Storage gives, since many files are small. */
const transferRate = 250e6;

/** Bytes a second onto one node's disk, as a balanced persistent disk of a large machine writes. */
const diskRate = 500e6;

/** Writing a checkpoint of a model whose size is unknown. */
const usualCheckpointSeconds = 60;

const bytesPerGiB = 1024 ** 3;

/** What a job gets where its spec does not say. */
export const usualDiskGiB = 20;

/** Inputs of which nothing is known. */
const usualInputBytes = 1e9;

/** A token in two bytes; an image as of ImageNet-1k (138 GB of 1.28 million), 30 s of speech as of LibriSpeech, a row as of Criteo 1TB. */
const bytesPerToken = 2;
const bytesPerSample: Partial<Record<Work['kind'], number>> = {
  vision: 108_000,
  diffusion: 108_000,
  speech: 520_000,
  recommender: 250,
};
const bytesOfOtherSample = 1_000;

/** What a job moves, in bytes: of inputs each node fetches all, and no more than its disk holds. */
export type Volumes = { inputBytes: number; outputBytes: number; checkpointBytes: number | null };

export function volumesOf(spec: JobSpec, work: Work): Volumes {
  const diskBytes = (spec.resources?.diskGiB ?? usualDiskGiB) * bytesPerGiB;
  const hasInputs = spec.inputs !== undefined && spec.inputs.length > 0;
  return {
    inputBytes: hasInputs ? Math.min(diskBytes, dataBytes(work)) : 0,
    outputBytes: spec.outputs === undefined ? 0 : trainedBytes(work),
    checkpointBytes: checkpointBytesOf(work),
  };
}

function dataBytes({ tokens, samples, epochs, kind }: Work): number {
  if (tokens !== null) return (tokens / epochs) * bytesPerToken;
  if (samples === null) return usualInputBytes;
  return (samples / epochs) * (bytesPerSample[kind] ?? bytesOfOtherSample);
}

/** Of LoRA the adapters, about 1 % of the base. */
function trainedBytes({ parameters, isLora }: Work): number {
  return 2 * (parameters ?? 0) * (isLora ? 0.01 : 1);
}

/** Seconds around the training itself, on each machine. */
export type Overhead = {
  imageSeconds: number;
  setupSeconds: number;
  /** Of the program itself; nothing where what is known is how long all of it takes. */
  startUpSeconds: number;
  downloadSeconds: number;
  uploadSeconds: number;
};

/** `kind`: of accelerator, or cpu. */
export function overheadOf(spec: JobSpec, work: Work, kind: string): Overhead {
  const { inputBytes, outputBytes } = volumesOf(spec, work);
  return {
    imageSeconds: spec.image === undefined ? 0 : usualImageSeconds,
    setupSeconds: spec.setup === undefined ? 0 : usualSetupSeconds,
    startUpSeconds: work.seconds !== null ? 0 : kind === 'cpu' ? plainStartSeconds : acceleratedStartSeconds,
    downloadSeconds: inputBytes / transferRate,
    uploadSeconds: outputBytes / transferRate,
  };
}

/** Seconds that a checkpoint stops the training: each node writes its part. */
export function checkpointSeconds({ checkpointBytes }: Volumes, nodes: number): number {
  return checkpointBytes === null ? usualCheckpointSeconds : checkpointBytes / nodes / diskRate;
}

/** Seconds until a new machine, once it is up, goes on where the last checkpoint was. */
export function restoreSeconds(overhead: Overhead, { checkpointBytes }: Volumes, nodes: number): number {
  const { imageSeconds, setupSeconds, startUpSeconds, downloadSeconds } = overhead;
  const reading = checkpointBytes === null ? usualCheckpointSeconds : checkpointBytes / nodes / transferRate;
  return imageSeconds + setupSeconds + startUpSeconds + downloadSeconds + reading;
}
