import { nearest } from '../core/nearest.ts';
import { gpuKinds } from './job-spec.ts';

type GpuKind = (typeof gpuKinds)[number];

/** Usual names of what has another one here, and is nearer to the name of something else. */
const sameChip: Record<string, GpuKind> = {
  'A100-40GB': 'A100',
  'A100-SXM4-40GB': 'A100',
  A800: 'A100-80GB',
  'H100-80GB': 'H100',
  H800: 'H100',
};

/** The kind of GPU that was most likely meant. */
export function nearestGpu(kind: string): string | undefined {
  return sameChip[kind.toUpperCase()] ?? nearest(kind, gpuKinds);
}
