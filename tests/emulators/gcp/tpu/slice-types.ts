import { locationUnknown } from './answers.ts';

/** One accelerator type of Cloud TPU: a slice of a pod, with how its chips and hosts are laid out. */
export type SliceType = {
  /** Such as `v5litepod-16`. */
  name: string;
  generation: Generation;
  /** Of chips, such as `4x4`. */
  topology: string;
  hosts: number;
  /** Of hosts, and of the chips of each, in three dimensions, as libtpu reads them. */
  hostBounds: string;
  chipsPerHostBounds: string;
  /** What its name counts: cores, or chips. */
  size: number;
};

type Generation = 'V2' | 'V3' | 'V4' | 'V5LITE_POD' | 'V5P' | 'V6E';
type Pod = { generation: Generation; wholeHostChips: 4 | 8; slices: [size: number, topology: string][] };

const flat: [number, string][] = [
  [1, '1x1'],
  [4, '2x2'],
  [8, '2x4'],
  [16, '4x4'],
  [32, '4x8'],
  [64, '8x8'],
  [128, '8x16'],
  [256, '16x16'],
];
const cube: [number, string][] = [
  [8, '2x2x1'],
  [16, '2x2x2'],
  [32, '2x2x4'],
  [64, '2x4x4'],
  [128, '4x4x4'],
  [256, '4x4x8'],
];

/** Cloud TPU: "TPU configurations", a page for each generation. */
const pods: Record<string, Pod> = {
  v2: {
    generation: 'V2',
    wholeHostChips: 4,
    slices: [
      [8, '2x2'],
      [32, '4x4'],
      [128, '8x8'],
      [256, '8x16'],
      [512, '16x16'],
    ],
  },
  v3: {
    generation: 'V3',
    wholeHostChips: 4,
    slices: [
      [8, '2x2'],
      [32, '4x4'],
      [64, '4x8'],
      [128, '8x8'],
      [256, '8x16'],
      [512, '16x16'],
    ],
  },
  v4: { generation: 'V4', wholeHostChips: 4, slices: cube },
  v5litepod: { generation: 'V5LITE_POD', wholeHostChips: 8, slices: flat },
  v5p: { generation: 'V5P', wholeHostChips: 4, slices: cube },
  v6e: { generation: 'V6E', wholeHostChips: 8, slices: flat },
};

/** Cloud TPU: "TPU regions and zones", of those zones that the emulator's Compute Engine has. */
const usualTpus: Record<string, readonly string[]> = {
  'us-central1-a': ['v3', 'v5litepod', 'v5p'],
  'us-central1-b': ['v2', 'v3', 'v6e'],
  'us-central1-c': ['v2'],
  'us-east5-a': ['v5p', 'v6e'],
  'us-west4-a': ['v5litepod'],
  'europe-west4-a': ['v2', 'v3', 'v6e'],
  'europe-west4-b': ['v5litepod', 'v5p'],
};

export const runtimeVersions = [
  'tpu-ubuntu2204-base',
  'tpu-vm-tf-2.19.0-pjrt',
  'tpu-vm-tf-2.19.0-pod-pjrt',
  'v2-alpha-tpuv5',
  'v2-alpha-tpuv5-lite',
  'v2-alpha-tpuv6e',
];

export type SliceCatalogue = {
  zones: string[];
  /** @throws ApiError 403 where there are no TPUs at all. */
  typesIn: (zone: string) => SliceType[];
};

/** `tpus`: by zone which there are, as their slices' names begin. */
export function createSliceCatalogue(tpus: Record<string, readonly string[]> = usualTpus): SliceCatalogue {
  return {
    zones: Object.keys(tpus),
    typesIn: (zone) => {
      const prefixes = tpus[zone];
      if (prefixes === undefined) throw locationUnknown(zone);
      return prefixes.flatMap((prefix) => typesOf(prefix));
    },
  };
}

function typesOf(prefix: string): SliceType[] {
  const pod = pods[prefix];
  if (pod === undefined) throw new Error(`The emulator has no TPUs ${prefix}.`);
  return pod.slices.map(([size, topology]) => layOut(`${prefix}-${size}`, size, topology, pod));
}

/** A slice of one host has all its chips there; of many, each has two by two. */
function layOut(name: string, size: number, topology: string, { generation, wholeHostChips }: Pod): SliceType {
  const [x = 1, y = 1, z = 1] = topology.split('x').map(Number);
  const isWhole = x * y * z <= wholeHostChips;
  return {
    name,
    generation,
    topology,
    size,
    hosts: isWhole ? 1 : (x * y * z) / 4,
    hostBounds: isWhole ? '1,1,1' : `${x / 2},${y / 2},${z}`,
    chipsPerHostBounds: isWhole ? `${x},${y},${z}` : '2,2,1',
  };
}
