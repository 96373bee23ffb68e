import type { Json } from './messages.ts';
import { OperationFailure } from './errors.ts';

/** What an instance takes of each quota, by metric. */
export type Use = Record<string, number>;

export type Quotas = {
  /** As `regions.get` and `projects.get` list them. */
  regional: (region: string) => Json[];
  global: () => Json[];
  /** Of a region, or of `global`. */
  setLimit: (region: string, metric: string, limit: number) => void;
  /** Spot machines count against the standard quota until the project was given some of the preemptible one. */
  isGiven: (region: string, metric: string) => boolean;
  /** @throws OperationFailure QUOTA_EXCEEDED. */
  take: (region: string, use: Use) => void;
  free: (region: string, use: Use) => void;
};

/** Limits of a project with a quota for GPUs; one that asked for none has 0 of each. */
export const usualLimits: Use = {
  CPUS: 2400,
  N2_CPUS: 2400,
  E2_CPUS: 2400,
  A2_CPUS: 1200,
  PREEMPTIBLE_CPUS: 2400,
  INSTANCES: 6000,
  IN_USE_ADDRESSES: 575,
  DISKS_TOTAL_GB: 102_400,
  SSD_TOTAL_GB: 81_920,
  HDB_TOTAL_GB: 81_920,
  LOCAL_SSD_TOTAL_GB: 50_000,
  NVIDIA_T4_GPUS: 16,
  PREEMPTIBLE_NVIDIA_T4_GPUS: 16,
  NVIDIA_L4_GPUS: 16,
  PREEMPTIBLE_NVIDIA_L4_GPUS: 16,
  NVIDIA_V100_GPUS: 16,
  PREEMPTIBLE_NVIDIA_V100_GPUS: 16,
  NVIDIA_P100_GPUS: 16,
  PREEMPTIBLE_NVIDIA_P100_GPUS: 16,
  NVIDIA_A100_GPUS: 32,
  PREEMPTIBLE_NVIDIA_A100_GPUS: 32,
  NVIDIA_A100_80GB_GPUS: 32,
  PREEMPTIBLE_NVIDIA_A100_80GB_GPUS: 32,
  PREEMPTIBLE_NVIDIA_H100_GPUS: 32,
  // Of the newer kind: enforced, but no metric of `regions.get` shows them.
  [familyMetric('NVIDIA_H100')]: 32,
  [familyMetric('NVIDIA_H100_MEGA')]: 32,
  [familyMetric('NVIDIA_H200')]: 16,
  [familyMetric('NVIDIA_B200')]: 16,
};

/** Newer accelerators are counted by "GPUs per GPU family", which only the Cloud Quotas API lists. */
export function familyMetric(family: string): string {
  return `GPUS_PER_GPU_FAMILY:${family}`;
}

export function createQuotas(limits: Use = usualLimits, gpusAllRegions = 64): Quotas {
  const limitOf = new Map<string, number>();
  const used = new Map<string, number>();
  const limit = (region: string, metric: string) => limitOf.get(`${region}/${metric}`) ?? limits[metric] ?? 0;
  const usage = (region: string, metric: string) => used.get(`${region}/${metric}`) ?? 0;
  limitOf.set('global/GPUS_ALL_REGIONS', gpusAllRegions);
  limitOf.set('global/CPUS_ALL_REGIONS', 5000);

  const add = (region: string, use: Use, sign: 1 | -1): void => {
    for (const [metric, count] of Object.entries(use)) {
      const scope = metric.endsWith('_ALL_REGIONS') ? 'global' : region;
      used.set(`${scope}/${metric}`, usage(scope, metric) + sign * count);
    }
  };

  return {
    regional: (region) =>
      Object.keys(limits)
        .filter((metric) => !metric.includes(':'))
        .map((metric) => ({ metric, limit: limit(region, metric), usage: usage(region, metric) })),
    global: () =>
      ['GPUS_ALL_REGIONS', 'CPUS_ALL_REGIONS'].map((metric) => ({
        metric,
        limit: limit('global', metric),
        usage: usage('global', metric),
      })),
    setLimit: (region, metric, value) => void limitOf.set(`${region}/${metric}`, value),
    isGiven: (region, metric) => limit(region, metric) > 0,
    take: (region, use) => {
      for (const [metric, count] of Object.entries(use)) {
        const scope = metric.endsWith('_ALL_REGIONS') ? 'global' : region;
        if (usage(scope, metric) + count > limit(scope, metric)) throw exceeded(metric, limit(scope, metric), scope);
      }
      add(region, use, 1);
    },
    free: (region, use) => add(region, use, -1),
  };
}

function exceeded(metric: string, limit: number, scope: string): OperationFailure {
  const [name = '', family] = metric.split(':');
  const where = scope === 'global' ? 'globally' : `in region ${scope}`;
  return new OperationFailure({
    status: 403,
    code: 'QUOTA_EXCEEDED',
    message: `Quota '${name}' exceeded.  Limit: ${limit.toFixed(1)} ${where}.`,
    errorDetails: [
      {
        quotaInfo: {
          metricName: `compute.googleapis.com/${name.toLowerCase()}`,
          limitName: `${name.replaceAll('_', '-')}-per-project${scope === 'global' ? '' : '-region'}`,
          dimensions:
            scope === 'global'
              ? { global: 'global' }
              : { region: scope, ...(family === undefined ? {} : { gpu_family: family }) },
          limit,
        },
      },
    ],
  });
}

const metricNames: Record<string, { shown: string } | { family: string; preemptible?: string }> = {
  'nvidia-tesla-t4': { shown: 'NVIDIA_T4_GPUS' },
  'nvidia-tesla-v100': { shown: 'NVIDIA_V100_GPUS' },
  'nvidia-tesla-p100': { shown: 'NVIDIA_P100_GPUS' },
  'nvidia-l4': { shown: 'NVIDIA_L4_GPUS' },
  'nvidia-tesla-a100': { shown: 'NVIDIA_A100_GPUS' },
  'nvidia-a100-80gb': { shown: 'NVIDIA_A100_80GB_GPUS' },
  'nvidia-h100-80gb': { family: 'NVIDIA_H100', preemptible: 'PREEMPTIBLE_NVIDIA_H100_GPUS' },
  'nvidia-h100-mega-80gb': { family: 'NVIDIA_H100_MEGA' },
  'nvidia-h200-141gb': { family: 'NVIDIA_H200' },
  'nvidia-b200': { family: 'NVIDIA_B200' },
};

/** The quota of one kind of accelerator; spot machines count against one of their own where there is one. */
export function gpuMetric(type: string, isSpot: boolean): string {
  const found = metricNames[type];
  if (found === undefined) throw new Error(`The emulator has no quota for ${type}.`);
  if ('shown' in found) return isSpot ? `PREEMPTIBLE_${found.shown}` : found.shown;
  return isSpot && found.preemptible !== undefined ? found.preemptible : familyMetric(found.family);
}

/** CPUs of A2 and others count by series; those of A3 and A4 by none. */
export function cpuMetric(machineType: string, isSpot: boolean): string | undefined {
  const series = machineType.split('-')[0] ?? '';
  if (series === 'a3' || series === 'a4') return undefined;
  if (isSpot) return 'PREEMPTIBLE_CPUS';
  return ['a2', 'n2', 'e2'].includes(series) ? `${series.toUpperCase()}_CPUS` : 'CPUS';
}
