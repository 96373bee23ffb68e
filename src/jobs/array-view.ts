import { toUsd } from '../core/money.ts';
import type { Job } from '../protocol/job.ts';
import type { ArrayReading } from './array-reading-store.ts';

type Progress = NonNullable<Job['progress']>;

/** How many tasks have ended, and when all will have at the rate so far. `costMicroUsd`: what they have cost until now. */
export function arrayProgress(
  { counts }: ArrayReading,
  { startedAt, now, costMicroUsd }: { startedAt: Date | null; now: Date; costMicroUsd: number },
): Progress {
  const { total } = counts;
  const done = counts.succeeded + counts.failed + counts.cancelled;
  const progress = { done, total, unit: 'tasks' };
  if (done === 0 || startedAt === null) return { ...progress, eta: { p50: null, p90: null }, expectedCostUsd: null };
  const leftMs = ((now.getTime() - startedAt.getTime()) / done) * (total - done);
  const after = (ms: number) => new Date(now.getTime() + ms).toISOString();
  return {
    ...progress,
    eta: { p50: after(leftMs), p90: after(leftMs * 1.25) },
    expectedCostUsd: toUsd((costMicroUsd / (done + counts.running)) * total),
  };
}
