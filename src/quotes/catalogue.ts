import acceleratorTable from './catalogue/accelerators.json' with { type: 'json' };
import { precisions, type Workload } from '../protocol/job-spec.ts';

export type Precision = NonNullable<Workload['precision']>;

const bytesPerGiB = 1024 ** 3;

/**
 * Peak fp32 rate of a core whose clock and width are unknown: 50 GFLOP/s, as a 3.1 GHz core with one 256-bit
 * multiply-add a cycle has. A measured rate may be passed in its place.
 */
export const defaultPetaflopsPerCore = 0.000_05;

const accelerators = new Map(
  acceleratorTable.accelerators.map((row) => [
    row.kind,
    { ...row, peakTflops: new Map<string, number>(Object.entries(row.peakTflops)) },
  ]),
);

/** What a precision runs at where the accelerator has no rate of its own for it. */
const fallback: Record<Precision, Precision[]> = {
  fp8: ['fp8', 'bf16', 'fp16'],
  bf16: ['bf16', 'fp16'],
  fp16: ['fp16', 'bf16'],
  tf32: ['tf32', 'fp32', 'bf16'],
  fp32: ['fp32', 'bf16'],
};

/** Dense peak in FLOP/s of one accelerator (of one core where the kind is cpu); undefined for a kind the catalogue does not know. */
export function peakFlops(
  kind: string,
  precision: Precision = 'bf16',
  petaflopsPerCore = defaultPetaflopsPerCore,
): number | undefined {
  if (kind === 'cpu') return petaflopsPerCore * 1e15;
  const peaks = accelerators.get(kind)?.peakTflops;
  const found = fallback[precision].find((candidate) => peaks?.has(candidate) === true);
  const tflops = found === undefined ? undefined : peaks?.get(found);
  return tflops === undefined ? undefined : tflops * 1e12;
}

/** True where the accelerator has a rate of its own for this precision: v5p and v6e take fp8, no faster than bf16. */
export function supports(kind: string, precision: Precision): boolean {
  return kind === 'cpu' || ratesOf(kind).includes(precision);
}

/** The precision whose rate counts where this one is stated: its own, or else the nearest that the accelerator has. */
export function effectivePrecision(kind: string, precision: Precision): Precision {
  const rates = ratesOf(kind);
  return fallback[precision].find((candidate) => rates.includes(candidate)) ?? precision;
}

function ratesOf(kind: string): Precision[] {
  const peaks = accelerators.get(kind)?.peakTflops ?? new Map<string, number>();
  const isFaster = (peaks.get('fp8') ?? 0) > (peaks.get('bf16') ?? 0);
  return precisions.filter((precision) => peaks.has(precision) && (precision !== 'fp8' || isFaster));
}

/**
 * The unit of shares: peak dense bf16 (fp16 where there is none) of one accelerator in PFLOP/s; for `cpu` the peak fp32 rate of
 * a core. Zero for a kind the catalogue does not know.
 */
export function computePetaflopsPerAccelerator(kind: string, petaflopsPerCore = defaultPetaflopsPerCore): number {
  return (peakFlops(kind, 'bf16', petaflopsPerCore) ?? 0) / 1e15;
}

/** Peak bf16 (fp16 where there is none) FLOP for each byte that memory delivers; undefined for cpu and for unknown kinds. */
export function flopPerByte(kind: string): number | undefined {
  const memoryGBs = accelerators.get(kind)?.memoryGBs;
  const peak = peakFlops(kind, 'bf16');
  return memoryGBs === undefined || peak === undefined ? undefined : peak / (memoryGBs * 1e9);
}

/** Memory of one accelerator; undefined for cpu, whose memory is the machine's, and for unknown kinds. */
export function acceleratorMemoryBytes(kind: string): number | undefined {
  const memoryGB = accelerators.get(kind)?.memoryGB;
  return memoryGB === undefined ? undefined : memoryGB * bytesPerGiB;
}
