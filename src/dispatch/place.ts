import { anyKind, hasKind } from './room.ts';
import type { Need } from './snapshot.ts';
import type { PoolState } from './state.ts';

/** The GPUs each node gets, where the pool has the room. All nodes or none. */
export function place(need: Need, { gpuKind, freeGpus }: PoolState): number[][] | undefined {
  const { gpus, nodes } = need;
  if (!hasKind(gpuKind, need)) return undefined;
  if (gpuKind === anyKind)
    return Array.from({ length: nodes }, () => Array.from({ length: gpus.count }, (_, index) => index));
  if (gpus.count * nodes > freeGpus.length) return undefined;
  return Array.from({ length: nodes }, (_, node) => freeGpus.slice(node * gpus.count, (node + 1) * gpus.count));
}
