import type { PricedMachine, Sellable } from '../provider.ts';
import { partsOf } from './machines.ts';
import type { Places } from './places.ts';
import { regionOf, type GcpSettings } from './settings.ts';
import { sliceTypeOf } from './slice-types.ts';

const bytesPerGiB = 1024 ** 3;

/** From the request to the runner's first call, as Compute Engine machines with an image that has drivers usually take. */
const usualStartSeconds = { p50: 75, p90: 180 };

/** Each priced machine in each zone that has it, the zones of a region one after another. Pure. */
export function machineSellables(
  machines: readonly PricedMachine[],
  places: Places,
  settings: GcpSettings,
): Sellable[] {
  const zonesIn = Map.groupBy([...places.keys()].toSorted(), regionOf);
  return machines.flatMap((machine) => {
    const { machineType, attached } = partsOf(machine.machineType);
    const zones = (zonesIn.get(machine.region) ?? []).filter((zone) => {
      const place = places.get(zone);
      return (
        place?.machineTypes.has(machineType) === true &&
        (attached === undefined || place.acceleratorTypes.has(attached.type))
      );
    });
    return zones.map((zone) => sell(machine, zone, settings));
  });
}

/** From the request to the runner's first call, as slices usually take where there is capacity. */
const sliceStartSeconds = { p50: 240, p90: 600 };

/** Each slice in each zone that has it, by the catalogue's price of its chips. Pure. */
export function sliceSellables(chips: readonly PricedMachine[], places: Places, settings: GcpSettings): Sellable[] {
  return [...places].flatMap(([zone, { slices }]) => {
    const types = [...slices].flatMap((name) => sliceTypeOf(name) ?? []);
    return types.flatMap(({ acceleratorType, kind, hosts, chipsPerHost }) =>
      chips
        .filter((chip) => chip.kind === kind && chip.region === regionOf(zone))
        .map((chip) => ({
          ...sell({ ...chip, machineType: acceleratorType, count: chipsPerHost }, zone, settings),
          microUsdPerHour: chip.microUsdPerHour * chipsPerHost,
          startSeconds: sliceStartSeconds,
          hosts,
        })),
    );
  });
}

function sell(machine: PricedMachine, zone: string, { maxDiskGiB = 2000 }: GcpSettings): Sellable {
  const { region, machineType, kind, count, cpus, memoryBytes, market, microUsdPerHour, priceDate } = machine;
  return {
    region,
    zone,
    machineType,
    accelerators: { kind, count },
    cpus,
    memoryBytes,
    diskBytes: maxDiskGiB * bytesPerGiB,
    market,
    microUsdPerHour,
    priceDate,
    startSeconds: usualStartSeconds,
  };
}
