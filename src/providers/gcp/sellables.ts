import type { PricedMachine, Sellable } from '../provider.ts';
import { isSold, partsOf } from './machines.ts';
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
  { flexStart = [], maxDiskGiB = 2000 }: Pick<GcpSettings, 'flexStart' | 'maxDiskGiB'>,
): Sellable[] {
  const zonesIn = Map.groupBy([...places.keys()].toSorted(), regionOf);
  const sold = machines.filter((machine) => isSold(machine, { flexStart }));
  return sold.flatMap((machine) => {
    const { machineType, attached } = partsOf(machine.machineType);
    const zones = (zonesIn.get(machine.region) ?? []).filter((zone) => {
      const place = places.get(zone);
      return (
        place?.machineTypes.has(machineType) === true &&
        (attached === undefined || place.acceleratorTypes.has(attached.type))
      );
    });
    return zones.map((zone) => ({ ...sell(machine, zone), diskBytes: maxDiskGiB * bytesPerGiB }));
  });
}

/** From the request to the runner's first call, as slices usually take where there is capacity. */
const sliceStartSeconds = { p50: 240, p90: 600 };

/** A host has one boot disk of 100 GiB, which can't be made larger (Cloud TPU: "Storage options"); this is left beside its image. */
const sliceDiskBytes = 70 * bytesPerGiB;

/** Each slice in each zone that has it, by the catalogue's rows, which are of one chip. Pure. */
export function sliceSellables(chips: readonly PricedMachine[], places: Places): Sellable[] {
  return [...places].flatMap(([zone, { slices }]) => {
    const types = [...slices].flatMap((name) => sliceTypeOf(name) ?? []);
    return types.flatMap(({ acceleratorType, kind, hosts, chipsPerHost }) =>
      chips
        .filter((chip) => chip.kind === kind && chip.region === regionOf(zone))
        .map((chip) => ({
          ...sell({ ...chip, machineType: acceleratorType, count: chipsPerHost }, zone),
          cpus: chip.cpus * chipsPerHost,
          memoryBytes: chip.memoryBytes * chipsPerHost,
          diskBytes: sliceDiskBytes,
          microUsdPerHour: chip.microUsdPerHour * chipsPerHost,
          startSeconds: sliceStartSeconds,
          hosts,
        })),
    );
  });
}

function sell(machine: PricedMachine, zone: string): Omit<Sellable, 'diskBytes'> {
  const { region, machineType, kind, count, cpus, memoryBytes, market, microUsdPerHour, priceDate } = machine;
  return {
    region,
    zone,
    machineType,
    accelerators: { kind, count },
    cpus,
    memoryBytes,
    market,
    microUsdPerHour,
    priceDate,
    startSeconds: usualStartSeconds,
  };
}
