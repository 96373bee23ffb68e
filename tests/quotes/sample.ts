import { newId } from '../../src/core/ids.ts';
import type { JobSpec } from '../../src/protocol/job-spec.ts';
import type { Sellable } from '../../src/providers/provider.ts';
import { computePetaflopsPerAccelerator } from '../../src/quotes/catalogue.ts';
import { computeQuote, type QuoteInput } from '../../src/quotes/quote.ts';
import { builtInCatalogue } from '../../src/quotes/price-list.ts';
import { indexWares } from '../../src/quotes/sellers.ts';

const gib = 1024 ** 3;

/** An eight-core machine, divisible, as the local provider sells one. */
export const localMachine: Sellable = {
  region: 'local',
  zone: 'local',
  machineType: 'local',
  accelerators: { kind: 'cpu', count: 8 },
  cpus: 8,
  memoryBytes: 16 * gib,
  diskBytes: 100 * gib,
  market: 'on-demand',
  microUsdPerHour: 160_000,
  priceDate: '2026-11-23',
  divisible: { microUsdPerCpuHour: 20_000, microUsdPerGpuHour: 500_000 },
  startSeconds: { p50: 0.3, p90: 1 },
};

export const localWares = indexWares([{ provider: 'local', sellables: [localMachine] }], builtInCatalogue);

/** The same machine with four GPUs of a kind. */
export function waresWithGpus(kind: string): ReturnType<typeof indexWares> {
  const gpus: Sellable = { ...localMachine, accelerators: { kind, count: 4 }, microUsdPerHour: 2_160_000 };
  return indexWares([{ provider: 'local', sellables: [localMachine, gpus] }], builtInCatalogue);
}

export const noHistory: QuoteInput['history'] = () => ({});

export function quoteOf(spec: Partial<JobSpec>, input: Partial<QuoteInput> = {}): ReturnType<typeof computeQuote> {
  return computeQuote({
    id: newId('quote'),
    spec: { name: 'train', command: 'true', ...spec },
    now: new Date('2026-11-23T12:00:00Z'),
    quoteMs: 3_600_000,
    wares: localWares,
    history: noHistory,
    policy: {},
    share: { window: '30d', before: 0, after: (petaflopDays) => petaflopDays, cap: null },
    queueWait: () => ({ p50: 0, p90: 0 }),
    bucketRegion: null,
    petaflopsPerAccelerator: (kind) => computePetaflopsPerAccelerator(kind),
    ...input,
  });
}
