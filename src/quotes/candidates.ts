import type { MicroUsd } from '../core/money.ts';
import type { Offer } from '../protocol/quote.ts';
import type { Sellable } from '../providers/provider.ts';
import { smallestCountThatHolds } from './memory.ts';
import { offerOf, type Named } from './offer.ts';
import type { CatalogueOffer, Market } from './price-list.ts';
import type { Ware, Wares } from './sellers.ts';
import { workSeconds } from './speed.ts';
import type { Wanted } from './wanted.ts';
import type { Work } from './work.ts';

/** Machines that the job could run on, priced for all nodes together. */
export type Candidate = Named & {
  offer: Offer;
  startSeconds: { p50: number; p90: number };
  /** What a node may use of the machine's memory. */
  memoryBytes: number;
  /** Whether a disk is paid beside the machine. */
  isDiskExtra: boolean;
  /** As the provider has seen it; else that of the kind is taken. */
  spotMeanUpSeconds: number | undefined;
  /** Whether it is of the catalogue alone, and so can't be bought here. */
  isForPlanning: boolean;
  /** Why the job can't run there; empty where it can. */
  reasons: string[];
  /** The same for candidates that differ in nothing but where they are and what they cost. */
  likeness: string;
};

/** How a cloud machine usually comes up; a configured provider says so itself. */
const catalogueStart = { p50: 90, p90: 300 };
const sliceStart = { p50: 240, p90: 900 };

/** A gang that weir chooses the size of grows until one day is enough, up to so many nodes. */
const longEnoughSeconds = 86_400;
const largestGangNodes = 64;

/** Of machines without accelerators the catalogue's cheapest few are enough to compare with. */
const cpuOffersPerMarket = 2;

/** Everything that is sold for the job: of configured providers, then of the catalogue what they do not sell. */
export function listCandidates(wanted: Wanted, work: Work, wares: Wares): Candidate[] {
  return [...purchasable(wanted, work, wares), ...plannable(wanted, work, wares)];
}

function purchasable(wanted: Wanted, work: Work, wares: Wares): Candidate[] {
  const least = leastOfGang(wanted.kind, wares);
  return (wares.byKind.get(wanted.kind) ?? []).flatMap((ware) => {
    const { sellable, provider } = ware;
    return sizesOf(ware, wanted, work, least).map((size) =>
      complete({
        provider,
        region: sellable.region,
        zone: sellable.zone,
        machineType: sellable.machineType,
        kind: wanted.kind,
        ...size,
        gigaflopsPerCore: sellable.gigaflopsPerCore,
        market: sellable.market,
        microUsdPerHour: hourlyOf(sellable, wanted, size) * size.nodes,
        priceDate: sellable.priceDate,
        startSeconds: sellable.startSeconds,
        memoryBytes: memoryOf(sellable, wanted, size),
        isDiskExtra: sellable.divisible === undefined,
        spotMeanUpSeconds: sellable.spotMeanUpSeconds,
        isForPlanning: false,
        reasons: [...placeReasons(wanted, sellable, provider), ...sizeReasons(wanted, ware, size)],
      }),
    );
  });
}

function complete(candidate: Omit<Candidate, 'offer' | 'likeness'>): Candidate {
  const { machineType, kind, count, nodes, market, gigaflopsPerCore, memoryBytes } = candidate;
  const { startSeconds, spotMeanUpSeconds, isDiskExtra } = candidate;
  const machine = [machineType, kind, count, nodes, market, gigaflopsPerCore, memoryBytes];
  const likeness = [...machine, startSeconds.p50, startSeconds.p90, spotMeanUpSeconds, isDiskExtra].join('/');
  return { ...candidate, offer: offerOf(candidate), likeness };
}

/** A part of a divisible machine is paid by its cores and GPUs; a GPU comes with one core unless the spec says otherwise. */
function hourlyOf({ divisible, microUsdPerHour }: Sellable, { kind, cpus }: Wanted, { count }: Size): MicroUsd {
  if (divisible === undefined) return microUsdPerHour;
  const gpus = kind === 'cpu' ? 0 : count;
  return Math.round(
    (kind === 'cpu' ? count : (cpus ?? count)) * divisible.microUsdPerCpuHour + gpus * divisible.microUsdPerGpuHour,
  );
}

/** Of a divisible machine a job gets what it asks for, and 2 GiB a core where it does not. */
function memoryOf({ divisible, memoryBytes }: Sellable, wanted: Wanted, { count }: Size): number {
  if (divisible === undefined) return memoryBytes;
  const cores = wanted.kind === 'cpu' ? count : (wanted.cpus ?? count);
  return wanted.memoryBytes ?? 2 * cores * bytesPerGiB;
}

type Size = { count: number; nodes: number };

function sizesOf({ sellable }: Ware, wanted: Wanted, work: Work, least: number): Size[] {
  const most = sellable.accelerators.count;
  if (sellable.hosts !== undefined) {
    const isWanted = wanted.count === most * sellable.hosts && (wanted.nodes ?? 1) === 1;
    return isWanted ? [{ count: most, nodes: sellable.hosts }] : [];
  }
  const isSliced = sellable.divisible !== undefined;
  if (wanted.kind === 'cpu') return [{ count: isSliced ? (wanted.count ?? 1) : most, nodes: wanted.nodes ?? 1 }];
  if (wanted.count !== null)
    return isSliced || most === wanted.count ? [{ count: wanted.count, nodes: wanted.nodes ?? 1 }] : [];
  if (!isSliced) return gangsOf(wanted, work, { count: most, least });
  const counts = Array.from({ length: most }, (_, at) => at + 1).filter(
    (count) => Number.isInteger(Math.log2(count)) || count === most,
  );
  return counts.map((count) => ({ count, nodes: wanted.nodes ?? 1 }));
}

/** Gangs are of machines with eight accelerators or more; where none of the kind has so many, of the largest. */
function leastOfGang(kind: string, { byKind, catalogue }: Wares): number {
  const own = (byKind.get(kind) ?? []).map(({ sellable }) => sellable.accelerators.count);
  return Math.min(8, Math.max(...own, ...catalogue.offers(kind).map(({ count }) => count)));
}

/** One node, and doublings of a full machine while the work is long or the model too large. */
function gangsOf(wanted: Wanted, work: Work, { count, least }: { count: number; least: number }): Size[] {
  if (wanted.nodes !== null) return [{ count, nodes: wanted.nodes }];
  const sizes = [{ count, nodes: 1 }];
  const needed = smallestCountThatHolds(work, wanted.kind) ?? 1;
  for (let nodes = 2; count >= least && work.flops !== null && nodes <= largestGangNodes; nodes *= 2) {
    const before = (count * nodes) / 2;
    const seconds = workSeconds(work, { kind: wanted.kind, count: before }) ?? 0;
    if (seconds <= longEnoughSeconds && before >= needed) break;
    sizes.push({ count, nodes });
  }
  return sizes;
}

function placeReasons(
  { providers, regions, market }: Wanted,
  offer: { region: string; market: Market },
  provider: string,
): string[] {
  const reasons: string[] = [];
  if (providers !== null && !providers.includes(provider)) reasons.push(`The spec's providers leave out ${provider}.`);
  if (regions !== null && !regions.includes(offer.region))
    reasons.push(`The spec's regions leave out ${offer.region}.`);
  if (market !== 'any' && market !== offer.market)
    reasons.push(`The spec wants ${market}, and this is ${offer.market}.`);
  return reasons;
}

function sizeReasons(
  { kind, cpus, memoryBytes, diskBytes }: Wanted,
  { sellable }: Ware,
  { count, nodes }: Size,
): string[] {
  const isSliced = sellable.divisible !== undefined;
  // Slices of one machine share what it has; whole machines each have their own.
  const sharing = isSliced ? nodes : 1;
  const wantedCpus = (kind === 'cpu' && isSliced ? count : (cpus ?? 0)) * sharing;
  const reasons: string[] = [];
  if (kind !== 'cpu' && count * sharing > sellable.accelerators.count) {
    reasons.push(
      `The job wants ${count * sharing} ${kind}, and ${sellable.machineType} has ${sellable.accelerators.count}.`,
    );
  }
  if (wantedCpus > sellable.cpus)
    reasons.push(`The job wants ${wantedCpus} cores, and ${sellable.machineType} has ${sellable.cpus}.`);
  if ((memoryBytes ?? 0) * sharing > sellable.memoryBytes)
    reasons.push(
      `The job wants ${gib((memoryBytes ?? 0) * sharing)} GiB of memory, and ${sellable.machineType} has ${gib(sellable.memoryBytes)}.`,
    );
  if ((diskBytes ?? 0) * sharing > sellable.diskBytes)
    reasons.push(
      `The job wants ${gib((diskBytes ?? 0) * sharing)} GiB of disk, and ${sellable.machineType} has ${gib(sellable.diskBytes)}.`,
    );
  return reasons;
}

const bytesPerGiB = 1024 ** 3;

const gib = (bytes: number): number => Number((bytes / bytesPerGiB).toFixed(1));

/** What the catalogue sells for the spec and this installation can't buy. */
function plannable(wanted: Wanted, work: Work, wares: Wares): Candidate[] {
  const isAmongFirst = counter();
  if (wanted.kind === 'cpu') return cheapestMachines(wanted, wares);
  const least = leastOfGang(wanted.kind, wares);
  const gangs = new Map<number, Size[]>();
  const sizesFor = (count: number): Size[] => {
    const sizes =
      gangs.get(count) ??
      (wanted.count === null ? gangsOf(wanted, work, { count, least }) : [{ count, nodes: wanted.nodes ?? 1 }]);
    gangs.set(count, sizes);
    return sizes;
  };
  return offersOfInterest(wanted, wares).flatMap((offer) => {
    if (wanted.slice !== null) return [slice(offer, wanted, wanted.slice, wares)];
    const sizes = sizesFor(offer.count);
    const isAlone = sizes.length === 1 || isAmongFirst(`${offer.machineType}/${offer.market}`, 1);
    return (isAlone ? sizes : sizes.slice(0, 1)).map((size) => fromCatalogue(offer, size, wares));
  });
}

function cheapestMachines(wanted: Wanted, wares: Wares): Candidate[] {
  const found: Candidate[] = [];
  const isAmongFirst = counter();
  for (const offer of wares.catalogue.offers('cpu')) {
    if (found.length === 2 * cpuOffersPerMarket) break;
    if (!isOfInterest(offer, wanted, wares) || !isAmongFirst(offer.market, cpuOffersPerMarket)) continue;
    found.push(fromCatalogue(offer, { count: offer.count, nodes: wanted.nodes ?? 1 }, wares));
  }
  return found;
}

/** True for the first so many times that a key is asked about. */
function counter(): (key: string, most: number) => boolean {
  const seen = new Map<string, number>();
  return (key, most) => {
    const before = seen.get(key) ?? 0;
    seen.set(key, before + 1);
    return before < most;
  };
}

function offersOfInterest(wanted: Wanted, wares: Wares): CatalogueOffer[] {
  return wares.catalogue.offers(wanted.kind).filter((offer) => isOfInterest(offer, wanted, wares));
}

function isOfInterest(offer: CatalogueOffer, wanted: Wanted, { keys }: Wares): boolean {
  return isOfSize(offer, wanted) && isWhereWanted(offer, wanted) && !keys.has(offer.key);
}

function isOfSize(offer: CatalogueOffer, { kind, count, slice, cpus, memoryBytes }: Wanted): boolean {
  if (slice !== null) return true;
  const isLargeEnough = offer.cpus >= (cpus ?? 0) && offer.memoryBytes >= (memoryBytes ?? 0);
  return isLargeEnough && (kind === 'cpu' || count === null || offer.count === count);
}

function isWhereWanted(offer: CatalogueOffer, { market, regions, providers }: Wanted): boolean {
  return (
    (market === 'any' || market === offer.market) &&
    (regions?.includes(offer.region) ?? true) &&
    (providers?.includes(offer.provider) ?? true)
  );
}

function slice(offer: CatalogueOffer, { count, nodes }: Wanted, name: string, wares: Wares): Candidate {
  const chips = count ?? 1;
  const machineType = name.replace(/^v5e-/, 'v5litepod-');
  const whole = { ...offer, machineType, count: chips, microUsdPerHour: offer.microUsdPerHour * chips };
  return toPlanWith(whole, { size: { count: chips, nodes: nodes ?? 1 }, startSeconds: sliceStart }, wares);
}

/** Single nodes of the catalogue are the same in every quote from one listing, and most of all that is quoted. */
const singleNodes = new WeakMap<Wares, Map<CatalogueOffer, Candidate>>();

function fromCatalogue(offer: CatalogueOffer, size: Size, wares: Wares): Candidate {
  const make = () => toPlanWith(offer, { size, startSeconds: catalogueStart }, wares);
  if (size.nodes !== 1) return make();
  const known = singleNodes.get(wares) ?? new Map<CatalogueOffer, Candidate>();
  singleNodes.set(wares, known);
  const candidate = known.get(offer) ?? make();
  known.set(offer, candidate);
  return candidate;
}

function toPlanWith(
  offer: CatalogueOffer,
  { size: { count, nodes }, startSeconds }: { size: Size; startSeconds: Candidate['startSeconds'] },
  { providers }: Wares,
): Candidate {
  const { provider, region, machineType, kind, market, priceDate } = offer;
  const reason = providers.has(provider)
    ? `The provider ${provider} of this installation does not sell ${market} ${machineType} in ${region}: the price is for planning.`
    : `This installation has no provider ${provider}: the price is for planning, until an operator configures it.`;
  return complete({
    provider,
    region,
    zone: null,
    machineType,
    kind,
    count,
    nodes,
    gigaflopsPerCore: undefined,
    market,
    microUsdPerHour: offer.microUsdPerHour * nodes,
    priceDate,
    startSeconds,
    memoryBytes: offer.memoryBytes,
    isDiskExtra: true,
    spotMeanUpSeconds: undefined,
    isForPlanning: true,
    reasons: [reason],
  });
}
