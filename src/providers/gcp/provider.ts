import { createCache } from '../../core/cache.ts';
import type { Clock } from '../../core/time.ts';
import { ConfigError } from '../../config.ts';
import type { PricedMachine, Provider, QuotaReading, RunnerExecutable } from '../provider.ts';
import { bootMetadata } from './boot-metadata.ts';
import { joined, shared } from './call.ts';
import { openClients, type Clients } from './clients.ts';
import { createInstance, deleteInstance, findEnd, listInstances, type GcpContext } from './instances.ts';
import { isTpu, partsOf } from './machines.ts';
import { NoSuchPlace, readPlaces, type Places } from './places.ts';
import { quotasOf, readLimits } from './quotas.ts';
import { explained } from './refusals.ts';
import { machineSellables, sliceSellables } from './sellables.ts';
import { buysTpus, waitsForCapacity, type GcpSettings } from './settings.ts';
import { sliceIdOf } from './slice-body.ts';
import { sliceTypeOf } from './slice-types.ts';
import { createSlice, deleteSlice, listSlices } from './slices.ts';

export type GcpProviderOptions = {
  settings: GcpSettings;
  installation: string;
  /** Today's prices of all that Google sells. */
  prices: () => Promise<PricedMachine[]>;
  /** The runner, where a new machine can fetch it. */
  runner: () => Promise<RunnerExecutable>;
  /** Told of what an operator has to change. */
  onError: (error: unknown) => void;
  now?: Clock;
};

/** Which zone has what changes with Google's building; which prices hold, with a day. */
const placesMs = 6 * 3_600_000;
/** After a failure, and where a zone can't be reached or is down, it is read again so soon. */
const retryPlacesMs = 30_000;

/**
 * Compute Engine and Cloud TPU as a provider: an instance is a machine of one project, or a host of a TPU slice.
 * @throws ConfigError where the configuration names a region or a zone that does not exist.
 */
export async function createGcpProvider(options: GcpProviderOptions): Promise<Provider> {
  const { settings, installation, prices, runner, onError, now = () => new Date() } = options;
  let opening: Promise<Clients> | undefined;
  const clients = () =>
    (opening ??= openClients(settings).catch((error: unknown) => {
      opening = undefined;
      throw error;
    }));
  const context: GcpContext = { settings, installation, clients };
  // Of those that ask for a slice at the same time one looks after it for all.
  const together = joined<Date | undefined>();
  const market = createMarket(options, clients, now);
  await market.read().catch((error: unknown) => {
    if (error instanceof NoSuchPlace) throw new ConfigError(error.names);
    onError(error);
  });

  return {
    name: 'gcp',
    isolatesTenants: true,
    givesWholeMachines: true,
    madeTogether: (machineType) => sliceTypeOf(machineType) !== undefined,
    capacityWaitMs: waitsForCapacity(settings) ? (settings.capacityWaitSeconds ?? 300) * 1000 : 0,
    sellables: async () => {
      const [priced, places] = [await prices(), await market.places()];
      const { machines, chips } = boughtOf(priced, settings);
      return [...machineSellables(machines, places, settings), ...sliceSellables(chips, places)];
    },
    capacity: () => Promise.resolve(undefined),
    quotas: createQuotas(options, clients),
    create: (request) =>
      explained(settings, async () => {
        const isSlice = isTpu(request.accelerators.kind);
        const metadata = bootMetadata(request, await runner(), isSlice);
        if (!isSlice) return createInstance(request, metadata, context);
        return together(`${request.zone} ${sliceIdOf(request.name)}`, () => createSlice(request, metadata, context));
      }),
    destroy: (instance) =>
      explained(settings, async () => {
        const [mayBeMachine, mayBeSlice] = natureOf(instance.machineType, settings);
        if (mayBeMachine) await deleteInstance(instance, context);
        if (mayBeSlice) await deleteSlice(instance, context);
      }),
    endedAt: (instance) =>
      explained(settings, () => findEnd(instance, context)).catch((error: unknown) => {
        onError(error);
        return undefined;
      }),
    list: shared(() =>
      explained(settings, async () => [
        ...(await listInstances(context)),
        ...(buysTpus(settings) ? await listSlices(context, onError) : []),
      ]),
    ),
    close: async () => {
      await (await opening)?.close();
    },
  };
}

/** Whether something of this type may be a machine of Compute Engine, and whether it may be a slice: without a type, whatever weir buys. */
function natureOf(machineType: string | undefined, settings: GcpSettings): [boolean, boolean] {
  if (machineType === undefined) return [true, buysTpus(settings)];
  const isSlice = sliceTypeOf(machineType) !== undefined;
  return [!isSlice, isSlice];
}

/** The limits of the project. What an operator has to change is told once, and again after it was in order. */
function createQuotas({ settings, prices, onError }: GcpProviderOptions, clients: () => Promise<Clients>) {
  let told = new Set<string>();
  return async (): Promise<QuotaReading> => {
    const limits = await explained(settings, async () => readLimits(settings, await clients()));
    for (const fault of limits.faults) if (!told.has(fault.message)) onError(fault);
    told = new Set(limits.faults.map(({ message }) => message));
    const { machines, chips } = boughtOf(await prices(), settings);
    return quotasOf(limits, [...machines, ...chips], settings);
  };
}

/** What is for sale where. A reading that failed is told once and leaves what was known before, at first nothing. */
function createMarket({ settings, prices, onError }: GcpProviderOptions, clients: () => Promise<Clients>, now: Clock) {
  let known: Places = new Map();
  let told = '';
  let readAtMs = -Infinity;
  let goodForMs = placesMs;
  const read = async (): Promise<void> => {
    const types = boughtOf(await prices(), settings).machines.map(
      ({ machineType }) => partsOf(machineType).machineType,
    );
    const wanted = [...new Set(types)];
    const { places, isWhole } = await explained(settings, async () =>
      readPlaces(settings, await clients(), wanted, known),
    );
    known = places;
    if (!isWhole) goodForMs = retryPlacesMs;
    told = '';
  };
  const refresh = createCache(
    async () => {
      if (now().getTime() - readAtMs < goodForMs) return;
      readAtMs = now().getTime();
      goodForMs = placesMs;
      await read().catch((error: unknown) => {
        goodForMs = retryPlacesMs;
        const message = error instanceof Error ? error.message : String(error);
        if (message !== told) onError(error);
        told = message;
      });
    },
    1_000,
    now,
  );
  return {
    read: async () => {
      readAtMs = now().getTime();
      await read();
    },
    places: async (): Promise<Places> => {
      await refresh.get('');
      return known;
    },
  };
}

/** Of all that is priced what the operator wants: whole machines, and chips that come in slices. */
function boughtOf(priced: PricedMachine[], { kinds, regions }: GcpSettings) {
  const wanted: ReadonlySet<string> | undefined = kinds && new Set<string>(kinds);
  const bought = priced.filter(({ kind, region }) => regions.includes(region) && (wanted?.has(kind) ?? !isTpu(kind)));
  return { machines: bought.filter(({ kind }) => !isTpu(kind)), chips: bought.filter(({ kind }) => isTpu(kind)) };
}
