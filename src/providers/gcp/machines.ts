import { tpuGenerations } from '../../protocol/job-spec.ts';
import type { GcpSettings } from './settings.ts';

/** N1 machines take their GPUs beside the machine type; on all others they come with it. */
const attachedTypes: Record<string, string> = {
  T4: 'nvidia-tesla-t4',
  P100: 'nvidia-tesla-p100',
  V100: 'nvidia-tesla-v100',
};

export type MachineParts = { machineType: string; attached: { type: string; count: number } | undefined };

/** What Compute Engine is asked for: the catalogue's `n1-standard-8+2xT4` is a machine type and what is attached to it. */
export function partsOf(machineType: string): MachineParts {
  const [host = '', extra] = machineType.split('+');
  const [, count, kind = ''] = /^(\d+)x(.+)$/.exec(extra ?? '') ?? [];
  const type = attachedTypes[kind];
  return { machineType: host, attached: type === undefined ? undefined : { type, count: Number(count) } };
}

export function isTpu(kind: string): boolean {
  return tpuGenerations.some((generation) => generation === kind);
}

/** Series that boot from Hyperdisk alone (Compute Engine: "Hyperdisk, machine series support"). */
const hyperdiskOnly = /^(a4|a3-ultragpu)/;

export function diskTypeOf(machineType: string, { diskType }: Pick<GcpSettings, 'diskType'>): string {
  return hyperdiskOnly.test(machineType) ? 'hyperdisk-balanced' : (diskType ?? 'pd-balanced');
}

/** Deep Learning VM images have driver, CUDA, Docker and the NVIDIA toolkit; plain Ubuntu is enough without a GPU. */
const usualImages = {
  gpu: 'projects/deeplearning-platform-release/global/images/family/common-cu129-ubuntu-2204-nvidia-580',
  cpu: 'projects/ubuntu-os-cloud/global/images/family/ubuntu-2404-lts-amd64',
};

/** What the image itself takes of the boot disk. */
const imageGiB = { gpu: 60, cpu: 12 };

export function bootImageOf(hasGpus: boolean, { images = {} }: Pick<GcpSettings, 'images'>) {
  const kind = hasGpus ? 'gpu' : 'cpu';
  return { image: images[kind] ?? usualImages[kind], imageGiB: imageGiB[kind] };
}
