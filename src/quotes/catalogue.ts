import acceleratorTable from './catalogue/accelerators.json' with { type: 'json' };
import offerTable from './catalogue/offers.json' with { type: 'json' };
import type { MicroUsd } from '../core/money.ts';
import type { Workload } from '../protocol/job-spec.ts';

export type Precision = NonNullable<Workload['precision']>;
export type Market = 'spot' | 'on-demand';

/** A machine with its price in one region and market, as the dated catalogue has it. */
export type CatalogueOffer = {
  provider: string;
  region: string;
  machineType: string;
  kind: string;
  /** Accelerators of the machine; cores where the kind is cpu. */
  count: number;
  cpus: number;
  memoryBytes: number;
  market: Market;
  microUsdPerHour: MicroUsd;
  priceDate: string;
  /** The machine type without its size. */
  series: string;
  key: string;
};

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

/** True where the accelerator has a rate of its own for this precision. */
export function supports(kind: string, precision: Precision): boolean {
  return kind === 'cpu' || accelerators.get(kind)?.peakTflops.has(precision) === true;
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

export const catalogueDate: string = offerTable.date;

/** Whose prices the catalogue holds. */
export const catalogueProvider: string = offerTable.provider;

/** The same for the same machine in the same place, whoever lists it. */
export function wareKey(provider: string, region: string, machineType: string, market: string): string {
  return `${provider}/${region}/${machineType}/${market}`;
}

function namesOf(machineType: string, region: string, market: Market): Pick<CatalogueOffer, 'series' | 'key'> {
  return {
    series: machineType.replace(/-\d+g?(\+.*)?$/, ''),
    key: wareKey(offerTable.provider, region, machineType, market),
  };
}

const offersByKind = new Map<string, CatalogueOffer[]>();
for (const { kind, regions, memoryGiB, source: _source, ...machine } of offerTable.machines) {
  const offers = offersByKind.get(kind) ?? [];
  offersByKind.set(kind, offers);
  for (const [region, prices] of Object.entries(regions)) {
    for (const [at, market] of (['on-demand', 'spot'] as const).entries()) {
      const microUsdPerHour = prices[at];
      if (typeof microUsdPerHour !== 'number') continue;
      offers.push({
        ...machine,
        ...namesOf(machine.machineType, region, market),
        provider: offerTable.provider,
        kind,
        region,
        memoryBytes: memoryGiB * bytesPerGiB,
        market,
        microUsdPerHour,
      });
    }
  }
}
for (const offers of offersByKind.values()) offers.sort((left, right) => left.microUsdPerHour - right.microUsdPerHour);

/** Accelerators that the catalogue has a price of. */
export const soldKinds: readonly string[] = [...offersByKind.keys()].filter((kind) => kind !== 'cpu');

/** Everything the catalogue sells with this kind, cheapest first. TPU offers are of one chip. */
export function catalogueOffers(kind: string): readonly CatalogueOffer[] {
  return offersByKind.get(kind) ?? [];
}
