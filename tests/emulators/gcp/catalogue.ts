import { idOf, link } from './links.ts';
import type { Json } from './messages.ts';
import { notFound } from './errors.ts';

export type MachineType = {
  name: string;
  cpus: number;
  memoryMb: number;
  accelerators?: { type: string; count: number };
};

const gib = 1024;

/** Series without accelerators of their own: `[prefix, MiB of memory for each CPU, CPUs]`. */
const general: [string, number, number[]][] = [
  ['e2-standard', 4 * gib, [2, 4, 8, 16, 32]],
  ['n1-standard', 3840, [1, 2, 4, 8, 16, 32, 64, 96]],
  ['n1-highmem', 6656, [2, 4, 8, 16, 32, 64, 96]],
  ['n2-standard', 4 * gib, [2, 4, 8, 16, 32, 48, 64, 80, 96, 128]],
];

const accelerated: [string, number, number, string, number][] = [
  ['a2-highgpu-1g', 12, 85, 'nvidia-tesla-a100', 1],
  ['a2-highgpu-2g', 24, 170, 'nvidia-tesla-a100', 2],
  ['a2-highgpu-4g', 48, 340, 'nvidia-tesla-a100', 4],
  ['a2-highgpu-8g', 96, 680, 'nvidia-tesla-a100', 8],
  ['a2-megagpu-16g', 96, 1360, 'nvidia-tesla-a100', 16],
  ['a2-ultragpu-1g', 12, 170, 'nvidia-a100-80gb', 1],
  ['a2-ultragpu-2g', 24, 340, 'nvidia-a100-80gb', 2],
  ['a2-ultragpu-4g', 48, 680, 'nvidia-a100-80gb', 4],
  ['a2-ultragpu-8g', 96, 1360, 'nvidia-a100-80gb', 8],
  ['a3-highgpu-1g', 26, 234, 'nvidia-h100-80gb', 1],
  ['a3-highgpu-2g', 52, 468, 'nvidia-h100-80gb', 2],
  ['a3-highgpu-4g', 104, 936, 'nvidia-h100-80gb', 4],
  ['a3-highgpu-8g', 208, 1872, 'nvidia-h100-80gb', 8],
  ['a3-megagpu-8g', 208, 1872, 'nvidia-h100-mega-80gb', 8],
  ['a3-ultragpu-8g', 224, 2952, 'nvidia-h200-141gb', 8],
  ['a4-highgpu-8g', 224, 3968, 'nvidia-b200', 8],
  ['g2-standard-4', 4, 16, 'nvidia-l4', 1],
  ['g2-standard-8', 8, 32, 'nvidia-l4', 1],
  ['g2-standard-12', 12, 48, 'nvidia-l4', 1],
  ['g2-standard-16', 16, 64, 'nvidia-l4', 1],
  ['g2-standard-24', 24, 96, 'nvidia-l4', 2],
  ['g2-standard-32', 32, 128, 'nvidia-l4', 1],
  ['g2-standard-48', 48, 192, 'nvidia-l4', 4],
  ['g2-standard-96', 96, 384, 'nvidia-l4', 8],
];

export const machineTypes: readonly MachineType[] = [
  ...general.flatMap(([prefix, memoryMb, cpus]) =>
    cpus.map((count) => ({ name: `${prefix}-${count}`, cpus: count, memoryMb: memoryMb * count })),
  ),
  ...accelerated.map(([name, cpus, memoryGb, type, count]) => ({
    name,
    cpus,
    memoryMb: memoryGb * gib,
    accelerators: { type, count },
  })),
];

/** What a zone has beyond the general series: accelerators, and with them the series built around one. */
const everyGpu = [
  ...new Set(accelerated.map(([, , , type]) => type)),
  'nvidia-tesla-t4',
  'nvidia-tesla-v100',
  'nvidia-tesla-p100',
];

export const usualZones: Record<string, readonly string[]> = {
  'us-central1-a': everyGpu,
  'us-central1-b': everyGpu,
  'us-central1-c': everyGpu,
  'us-central1-f': ['nvidia-tesla-a100', 'nvidia-tesla-t4', 'nvidia-tesla-v100', 'nvidia-tesla-p100'],
  'us-east1-b': ['nvidia-tesla-a100', 'nvidia-l4', 'nvidia-tesla-p100'],
  'us-east1-c': ['nvidia-tesla-t4', 'nvidia-l4', 'nvidia-tesla-p100'],
  'us-east1-d': ['nvidia-tesla-t4', 'nvidia-l4'],
  'us-east4-a': ['nvidia-h100-80gb', 'nvidia-tesla-t4', 'nvidia-l4'],
  'us-east4-c': ['nvidia-h100-80gb', 'nvidia-a100-80gb', 'nvidia-l4'],
  'us-east5-a': ['nvidia-h100-80gb', 'nvidia-h200-141gb'],
  'us-west1-a': ['nvidia-h100-80gb', 'nvidia-l4', 'nvidia-tesla-t4', 'nvidia-tesla-v100', 'nvidia-tesla-p100'],
  'us-west1-b': ['nvidia-tesla-a100', 'nvidia-l4', 'nvidia-tesla-t4', 'nvidia-tesla-v100', 'nvidia-tesla-p100'],
  'us-west4-a': ['nvidia-l4'],
  'us-west4-b': ['nvidia-tesla-a100'],
  'europe-west4-a': [
    'nvidia-tesla-a100',
    'nvidia-a100-80gb',
    'nvidia-l4',
    'nvidia-tesla-t4',
    'nvidia-tesla-v100',
    'nvidia-tesla-p100',
  ],
  'europe-west4-b': ['nvidia-h100-80gb', 'nvidia-a100-80gb', 'nvidia-l4', 'nvidia-tesla-t4', 'nvidia-tesla-v100'],
  'europe-west4-c': ['nvidia-h100-80gb', 'nvidia-l4', 'nvidia-tesla-t4', 'nvidia-tesla-v100'],
  'asia-southeast1-b': ['nvidia-h100-80gb', 'nvidia-tesla-a100', 'nvidia-l4', 'nvidia-tesla-t4'],
  'asia-southeast1-c': ['nvidia-h100-80gb', 'nvidia-tesla-a100', 'nvidia-a100-80gb', 'nvidia-l4', 'nvidia-tesla-t4'],
};

export function regionOf(zone: string): string {
  return zone.slice(0, zone.lastIndexOf('-'));
}

export type Catalogue = {
  zones: string[];
  regions: string[];
  zone: (name: string) => Json;
  region: (name: string, quotas: Json[]) => Json;
  machineTypesIn: (zone: string) => MachineType[];
  acceleratorTypesIn: (zone: string) => string[];
  machineTypeResource: (zone: string, type: MachineType) => Json;
  acceleratorTypeResource: (zone: string, type: string) => Json;
};

export function createCatalogue(project: string, gpusOf: Record<string, readonly string[]> = usualZones): Catalogue {
  const zones = Object.keys(gpusOf);
  const regions = [...new Set(zones.map(regionOf))];
  const acceleratorTypesIn = (zone: string): string[] => {
    const types = gpusOf[zone];
    if (types === undefined) throw notFound(`projects/${project}/zones/${zone}`);
    return [...types];
  };
  return {
    zones,
    regions,
    acceleratorTypesIn,
    machineTypesIn: (zone) => {
      const types = acceleratorTypesIn(zone);
      return machineTypes.filter(({ accelerators }) => accelerators === undefined || types.includes(accelerators.type));
    },
    zone: (name) => {
      if (gpusOf[name] === undefined) throw notFound(`projects/${project}/zones/${name}`);
      return {
        kind: 'compute#zone',
        id: idOf(name),
        creationTimestamp: created,
        name,
        description: name,
        status: 'UP',
        region: link(`projects/${project}/regions/${regionOf(name)}`),
        selfLink: link(`projects/${project}/zones/${name}`),
        supportsPzs: false,
      };
    },
    region: (name, quotas) => {
      if (!regions.includes(name)) throw notFound(`projects/${project}/regions/${name}`);
      return {
        kind: 'compute#region',
        id: idOf(name),
        creationTimestamp: created,
        name,
        description: name,
        status: 'UP',
        zones: zones.filter((zone) => regionOf(zone) === name).map((zone) => link(`projects/${project}/zones/${zone}`)),
        quotas,
        selfLink: link(`projects/${project}/regions/${name}`),
      };
    },
    machineTypeResource: (zone, { name, cpus, memoryMb, accelerators }) => ({
      kind: 'compute#machineType',
      id: idOf(name),
      creationTimestamp: created,
      name,
      description: `${cpus} vCPUs, ${Math.round(memoryMb / gib)} GB RAM`,
      guestCpus: cpus,
      memoryMb,
      maximumPersistentDisks: 128,
      maximumPersistentDisksSizeGb: '263168',
      zone,
      isSharedCpu: false,
      architecture: 'X86_64',
      ...(accelerators === undefined
        ? {}
        : { accelerators: [{ guestAcceleratorType: accelerators.type, guestAcceleratorCount: accelerators.count }] }),
      selfLink: link(`projects/${project}/zones/${zone}/machineTypes/${name}`),
    }),
    acceleratorTypeResource: (zone, name) => ({
      kind: 'compute#acceleratorType',
      id: idOf(name),
      creationTimestamp: created,
      name,
      description: name,
      zone: link(`projects/${project}/zones/${zone}`),
      maximumCardsPerInstance: name === 'nvidia-tesla-a100' ? 16 : 8,
      selfLink: link(`projects/${project}/zones/${zone}/acceleratorTypes/${name}`),
    }),
  };
}

const created = '1969-12-31T16:00:00.000-08:00';
