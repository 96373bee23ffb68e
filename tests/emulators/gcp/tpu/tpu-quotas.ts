import type { SliceType } from './slice-types.ts';
import { overQuota, type Status } from './answers.ts';

export type TpuQuotas = {
  /** Of one zone; where none was set a project may have as many as it likes. */
  setLimit: (name: string, zone: string, limit: number) => void;
  /** @returns why not, where that would be too many. */
  take: (type: SliceType, isSpot: boolean, zone: string) => Status | undefined;
  free: (type: SliceType, isSpot: boolean, zone: string) => void;
};

/** Cores or chips of a generation in a zone. A queued resource counts from when it is accepted until it is deleted, whatever becomes of it. */
export function createTpuQuotas(): TpuQuotas {
  const limits = new Map<string, number>();
  const used = new Map<string, number>();
  const keyOf = (type: SliceType, isSpot: boolean, zone: string) => `${limitName(type, isSpot)} ${zone}`;
  const add = (key: string, size: number) => used.set(key, (used.get(key) ?? 0) + size);
  return {
    setLimit: (name, zone, limit) => void limits.set(`${name} ${zone}`, limit),
    take: (type, isSpot, zone) => {
      const key = keyOf(type, isSpot, zone);
      const limit = limits.get(key) ?? Infinity;
      if ((used.get(key) ?? 0) + type.size > limit) return overQuota(limitName(type, isSpot), limit, zone);
      add(key, type.size);
      return undefined;
    },
    free: (type, isSpot, zone) => void add(keyOf(type, isSpot, zone), -type.size),
  };
}

/** As the quotas page names them: `TPUV5sPreemptibleLitepodPerProjectPerZoneForTPUAPI`. */
function limitName({ generation, hosts }: SliceType, isSpot: boolean): string {
  const market = isSpot ? 'Preemptible' : '';
  const pod = hosts > 1 ? 'Pod' : '';
  const kinds: Record<SliceType['generation'], string> = {
    V2: `V2s${market}${pod}`,
    V3: `V3s${market}${pod}`,
    V4: `V4s${market}${pod}`,
    V5LITE_POD: `V5s${market}Litepod`,
    V5P: `V5P${market}`,
    V6E: `V6E${market}`,
  };
  return `TPU${kinds[generation]}PerProjectPerZoneForTPUAPI`;
}
