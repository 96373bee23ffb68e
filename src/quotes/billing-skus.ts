import { fromUsd, type MicroUsd } from '../core/money.ts';
import { machines, type ListedPrice, type Machine, type Market } from './price-list.ts';

/** Of a SKU of the Cloud Billing Catalog API (services.skus.list, v1) what prices are read from. */
export type Sku = {
  description?: string;
  category?: { resourceFamily?: string; usageType?: string };
  serviceRegions?: string[];
  pricingInfo?: {
    pricingExpression?: {
      usageUnit?: string;
      tieredRates?: { unitPrice?: { currencyCode?: string; units?: string; nanos?: number } }[];
    };
  }[];
};

/** The words of a series' SKUs: a core, a GiB of memory, a GPU, and the local disk that comes with it. A machine is priced only where all of its parts are. */
type Parts = { core: string; memory: string; gpu: readonly string[]; localSsdGiBPerGpu?: number };

const localSsd = 'SSD backed Local Storage';

const series: Record<string, Parts> = {
  n1: { core: 'N1 Predefined Instance Core', memory: 'N1 Predefined Instance Ram', gpu: [] },
  g2: { core: 'G2 Instance Core', memory: 'G2 Instance Ram', gpu: ['L4 GPU'] },
  'a2-highgpu': { core: 'A2 Instance Core', memory: 'A2 Instance Ram', gpu: ['Tesla A100 GPU'] },
  'a2-megagpu': { core: 'A2 Instance Core', memory: 'A2 Instance Ram', gpu: ['Tesla A100 GPU'] },
  'a2-ultragpu': {
    core: 'A2 Instance Core',
    memory: 'A2 Instance Ram',
    gpu: ['A100 80GB GPU'],
    localSsdGiBPerGpu: 375,
  },
  'a3-highgpu': { core: 'A3 Instance Core', memory: 'A3 Instance Ram', gpu: ['H100 80GB GPU'] },
  // Regions name this one in three ways.
  'a3-megagpu': {
    core: 'A3Plus Instance Core',
    memory: 'A3Plus Instance Ram',
    gpu: ['H100 80GB Mega GPU', 'H100 Mega 80GB GPU', 'H100 80GB Plus GPU'],
  },
  'a3-ultragpu': { core: 'A3Ultra Instance Core', memory: 'A3Ultra Instance Ram', gpu: ['H200 141GB GPU'] },
  'a4-highgpu': { core: 'A4 Instance Core', memory: 'A4 Instance Ram', gpu: ['B200 (1 gpu slice)'] },
};

const attachedGpus: Record<string, readonly string[]> = {
  T4: ['Tesla T4 GPU'],
  P100: ['Tesla P100 GPU'],
  V100: ['Tesla V100 GPU'],
};

/** What is sold under other terms than a machine of one's own by the hour, some of it with usage type OnDemand. */
const otherTerms = /commitment|reserved|calendar mode|dws|custom|premium|sole tenancy|workstation|discount/i;

const markets: Record<string, Market> = { OnDemand: 'on-demand', Preemptible: 'spot' };

/** Above this for one accelerator an hour it is no price. */
const highestPlausible = fromUsd(100);

/** The price of every machine of the catalogue in every region where all of its parts have one. */
export function pricesOf(skus: readonly Sku[]): ListedPrice[] {
  const rates = ratesOf(skus);
  return machines.flatMap((machine) => {
    const parts = partsOf(machine);
    if (parts === undefined) return [];
    return [...rates.regions].flatMap((region) => {
      const onDemand = priceOf(machine, parts, (words) => rates.find(words, region, 'on-demand'));
      const spot = priceOf(machine, parts, (words) => rates.find(words, region, 'spot'));
      if (onDemand === null) return [];
      // Spot at or above on demand is another SKU that was taken for it.
      return [
        { machineType: machine.machineType, region, onDemand, spot: spot !== null && spot < onDemand ? spot : null },
      ];
    });
  });
}

function partsOf({ machineType, kind }: Machine): Parts | undefined {
  const [family = '', model = ''] = machineType.split('-');
  const parts = series[family] ?? series[`${family}-${model}`];
  if (parts === undefined || family !== 'n1') return parts;
  if (kind === 'cpu') return parts;
  const gpu = attachedGpus[kind];
  return gpu === undefined ? undefined : { ...parts, gpu };
}

/** Micro-dollars an hour, with their fraction: a core's price is a few cents. */
type Find = (words: readonly string[]) => number | undefined;

function priceOf({ kind, count, cpus, memoryGiB }: Machine, parts: Parts, find: Find): MicroUsd | null {
  const core = find([parts.core]);
  const memory = find([parts.memory]);
  const gpu = kind === 'cpu' ? 0 : find(parts.gpu);
  const disk = parts.localSsdGiBPerGpu === undefined ? 0 : find([localSsd]);
  if (core === undefined || memory === undefined || gpu === undefined || disk === undefined) return null;
  const diskGiB = (parts.localSsdGiBPerGpu ?? 0) * count;
  const total = Math.round(core * cpus + memory * memoryGiB + gpu * count + disk * diskGiB);
  return total > 0 && total / Math.max(1, count) <= highestPlausible ? total : null;
}

function ratesOf(skus: readonly Sku[]): {
  regions: Set<string>;
  find: (words: readonly string[], region: string, market: Market) => number | undefined;
} {
  const known = new Map<string, number>();
  const regions = new Set<string>();
  const wanted = [
    localSsd,
    ...Object.values(series).flatMap(({ core, memory, gpu }) => [core, memory, ...gpu]),
    ...Object.values(attachedGpus).flat(),
  ];
  for (const sku of skus) {
    const market = markets[sku.category?.usageType ?? ''];
    const rate = hourlyOf(sku);
    const { description = '' } = sku;
    if (market === undefined || rate === undefined || otherTerms.test(description)) continue;
    const words = wanted.find((part) => description.includes(part));
    if (words === undefined) continue;
    for (const region of sku.serviceRegions ?? []) {
      regions.add(region);
      const key = `${words}/${region}/${market}`;
      // Whatever order they come in; the dearer, so that nothing is quoted too low.
      known.set(key, Math.max(rate, known.get(key) ?? 0));
    }
  }
  return {
    regions,
    find: (words, region, market) =>
      words.map((part) => known.get(`${part}/${region}/${market}`)).find((rate) => rate !== undefined),
  };
}

/** Undefined for what is free, in another currency or unit. Of several tiers the last is what is paid after the free ones. */
function hourlyOf({ pricingInfo }: Sku): number | undefined {
  const expression = pricingInfo?.[0]?.pricingExpression;
  const price = expression?.tieredRates?.at(-1)?.unitPrice;
  const hours = hoursOf[expression?.usageUnit ?? ''];
  if (price === undefined || hours === undefined) return undefined;
  const { currencyCode = 'USD', units = '0', nanos = 0 } = price;
  const microUsd = (Number(units) * 1e6 + nanos / 1000) / hours;
  return currencyCode === 'USD' && microUsd > 0 ? microUsd : undefined;
}

/** Of a month Google counts 730. */
const hoursOf: Record<string, number> = { h: 1, 'GiBy.h': 1, 'GiBy.mo': 730 };
