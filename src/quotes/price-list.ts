import type { MicroUsd } from '../core/money.ts';
import offerTable from './catalogue/offers.json' with { type: 'json' };

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

/** A machine of the catalogue, whatever its price. */
export type Machine = { machineType: string; kind: string; count: number; cpus: number; memoryGiB: number };

/** What a machine costs an hour in a region; null where it is not sold so. */
export type ListedPrice = { machineType: string; region: string; onDemand: MicroUsd | null; spot: MicroUsd | null };

/** Prices of one day, as read from the provider. */
export type PriceList = { date: string; prices: ListedPrice[] };

export type Catalogue = {
  provider: string;
  /** Of the newest price. */
  date: string;
  /** Kinds of accelerator with a price. */
  kinds: readonly string[];
  /** Everything sold with this kind, cheapest first. TPU offers are of one chip. */
  offers: (kind: string) => readonly CatalogueOffer[];
};

export const machines: readonly Machine[] = offerTable.machines;

const bytesPerGiB = 1024 ** 3;

/** The same for the same machine in the same place, whoever lists it. */
export function wareKey(provider: string, region: string, machineType: string, market: string): string {
  return `${provider}/${region}/${machineType}/${market}`;
}

/** Whose prices the catalogue holds. */
export const catalogueProvider: string = offerTable.provider;

/** The catalogue that weir ships with; where a newer list has a price for a machine in a region, that one. */
export function buildCatalogue(newer?: PriceList): Catalogue {
  const found = new Map<string, CatalogueOffer>();
  for (const machine of offerTable.machines) {
    for (const [region, prices] of Object.entries<(number | null)[]>(machine.regions)) {
      const [onDemand = null, spot = null] = prices;
      addOffers(found, machine, { region, onDemand, spot, date: machine.priceDate });
    }
  }
  const byType = new Map(machines.map((machine) => [machine.machineType, machine]));
  for (const { machineType, ...price } of newer?.prices ?? []) {
    const machine = byType.get(machineType);
    if (machine !== undefined) addOffers(found, machine, { ...price, date: newer?.date ?? '' });
  }
  const byKind = Map.groupBy(found.values(), ({ kind }) => kind);
  for (const offers of byKind.values()) offers.sort((left, right) => left.microUsdPerHour - right.microUsdPerHour);
  return {
    provider: catalogueProvider,
    date: newer === undefined || newer.date < offerTable.date ? offerTable.date : newer.date,
    kinds: [...byKind.keys()].filter((kind) => kind !== 'cpu'),
    offers: (kind) => byKind.get(kind) ?? [],
  };
}

type RegionPrice = Omit<ListedPrice, 'machineType'> & { date: string };

function addOffers(
  found: Map<string, CatalogueOffer>,
  { machineType, kind, count, cpus, memoryGiB }: Machine,
  { region, onDemand, spot, date }: RegionPrice,
): void {
  for (const [market, microUsdPerHour] of [
    ['on-demand', onDemand],
    ['spot', spot],
  ] as const) {
    if (microUsdPerHour === null) continue;
    const key = wareKey(catalogueProvider, region, machineType, market);
    found.set(key, {
      provider: catalogueProvider,
      region,
      machineType,
      kind,
      count,
      cpus,
      memoryBytes: memoryGiB * bytesPerGiB,
      market,
      microUsdPerHour,
      priceDate: date,
      series: machineType.replace(/-\d+g?(\+.*)?$/, ''),
      key,
    });
  }
}

export const builtInCatalogue: Catalogue = buildCatalogue();
