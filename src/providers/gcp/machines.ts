import { tpuGenerations } from '../../protocol/job-spec.ts';
import type { PricedMachine } from '../provider.ts';
import { attachedTypes } from './attached-types.ts';
import type { GcpSettings } from './settings.ts';

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

/** What Google sells as spot, flex-start or reserved alone, whatever price it lists (Compute Engine: "GPU machine types"; AI Hypercomputer: "Consumption options"). */
const neverStandard = /^(a3-highgpu-[124]g|a3-ultragpu-|a4-)/;

type Sold = { machineType: string; kind: string; market: PricedMachine['market'] };

/** Whether it is bought as flex-start where the operator says so for its kind: what else is on demand is STANDARD. */
export function isFlexStart({ kind, market }: Omit<Sold, 'machineType'>, { flexStart = [] }: FlexSettings): boolean {
  return market === 'on-demand' && flexStart.some((each) => each === kind);
}

type FlexSettings = Pick<GcpSettings, 'flexStart'>;

/** Whether Google makes the machine in this market at all. */
export function isSold(machine: Sold, settings: FlexSettings): boolean {
  return machine.market === 'spot' || isFlexStart(machine, settings) || !neverStandard.test(machine.machineType);
}

/** Series that boot from Hyperdisk alone, and those that take it too (Compute Engine: "Accelerator-optimized machine family", disk types). */
const hyperdiskOnly = /^(a4|a3-ultragpu)/;
const hyperdiskToo = /^a3-/;

export function diskTypeOf(machineType: string, { diskType = 'pd-balanced' }: Pick<GcpSettings, 'diskType'>): string {
  if (hyperdiskOnly.test(machineType)) return 'hyperdisk-balanced';
  return diskType === 'hyperdisk-balanced' && !hyperdiskToo.test(machineType) ? 'pd-balanced' : diskType;
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
