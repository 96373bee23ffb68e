import type { Offer } from '../../protocol/quote.ts';
import type { PricedMachine } from '../provider.ts';
import { isFlexStart } from './machines.ts';
import type { GcpSettings } from './settings.ts';

/** Compute Engine's quotas by metric, of a region or of the project. */
export type Limits = ReadonlyMap<string, { limit: number; used: number }>;

type Machine = Pick<PricedMachine, 'machineType' | 'kind' | 'market'>;

/** GPUs that each have a metric of their own in `regions.get`, with a `PREEMPTIBLE_` one beside it. */
const gpuMetrics: Record<string, string> = {
  T4: 'NVIDIA_T4_GPUS',
  P100: 'NVIDIA_P100_GPUS',
  V100: 'NVIDIA_V100_GPUS',
  L4: 'NVIDIA_L4_GPUS',
  A100: 'NVIDIA_A100_GPUS',
  'A100-80GB': 'NVIDIA_A100_80GB_GPUS',
};

/** On demand these count in Cloud Quotas' "GPUs per GPU family" alone. */
const spotMetrics: Record<string, string> = { 'a3-highgpu': 'PREEMPTIBLE_NVIDIA_H100_GPUS' };

/** Of series whose cores count at all: those of A3 and A4 come with their GPUs. */
const coreMetrics: Record<string, string> = { n1: 'CPUS', g2: 'CPUS', a2: 'A2_CPUS' };

export const allGpusMetric = 'GPUS_ALL_REGIONS';

/** The metric of a region that the GPUs of a machine count in; undefined where the region shows none. */
export function gpuMetricOf(machine: Machine, limits: Limits, settings: Pick<GcpSettings, 'flexStart'>) {
  const standard = gpuMetrics[machine.kind];
  const series = machine.machineType.split('-').slice(0, 2).join('-');
  const preemptible = standard === undefined ? spotMetrics[series] : `PREEMPTIBLE_${standard}`;
  return metricOf({ standard, preemptible }, isPreemptible(machine, settings), limits);
}

/** Likewise of its cores. */
export function coreMetricOf(machine: Machine, limits: Limits, settings: Pick<GcpSettings, 'flexStart'>) {
  const standard = coreMetrics[machine.machineType.split('-')[0] ?? ''];
  if (standard === undefined) return undefined;
  return metricOf({ standard, preemptible: 'PREEMPTIBLE_CPUS' }, isPreemptible(machine, settings), limits);
}

/**
 * Spot machines count against the standard quota until the project was given some of the preemptible one, and from then on against
 * that alone (Compute Engine: "Allocation quotas, preemptible quotas").
 */
function metricOf(
  { standard, preemptible }: { standard: string | undefined; preemptible: string | undefined },
  isOfPreemptible: boolean,
  limits: Limits,
): string | undefined {
  const isGiven = preemptible !== undefined && (limits.get(preemptible)?.limit ?? 0) > 0;
  const metric = isOfPreemptible && isGiven ? preemptible : standard;
  return metric !== undefined && limits.has(metric) ? metric : undefined;
}

/** Flex-start machines count as spot ones do. */
function isPreemptible(machine: Machine, settings: Pick<GcpSettings, 'flexStart'>): boolean {
  return machine.market === 'spot' || isFlexStart(machine, settings);
}

/** GPUs of all kinds and regions count together, but for those of a preemptible quota. */
export function countsForAllRegions(metric: string | undefined, market: Offer['market']): boolean {
  return metric === undefined ? market === 'on-demand' : !metric.startsWith('PREEMPTIBLE_');
}
