import type { JobSpec } from '../protocol/job-spec.ts';
import type { EndState } from './state.ts';

/** A task's place in its array, and the entry of `values` that is its own. */
export type TaskPlace = { index: number; tasks: number; values: Record<string, string | number | boolean> | null };

/** What a task runs: the array's command, with its place and its values as environment variables. */
export function taskSpec({ array: _array, dependsOn: _dependsOn, ...spec }: JobSpec, place: TaskPlace): JobSpec {
  const { index, tasks, values } = place;
  const own = Object.entries(values ?? {}).map(([name, value]) => [name, String(value)]);
  const env = {
    ...spec.env,
    ...Object.fromEntries(own),
    WEIR_ARRAY_INDEX: String(index),
    WEIR_ARRAY_COUNT: String(tasks),
  };
  return { ...spec, env };
}

export type TaskEnds = { tasks: number; unmade: number; succeeded: number; failed: number; cancelled: number };

/** How an array ends whose tasks have all ended. */
export function endOfArray(
  { tasks, succeeded, failed, cancelled }: TaskEnds,
  isCancelled: boolean,
): { to: EndState; reason: string; message: string } {
  if (succeeded === tasks) return { to: 'succeeded', reason: 'completed', message: `All ${tasks} tasks succeeded.` };
  if (isCancelled)
    return {
      to: 'cancelled',
      reason: 'cancelled',
      message: `Cancelled: ${succeeded} of ${tasks} tasks had succeeded, ${failed} had failed.`,
    };
  if (failed > 0)
    return {
      to: 'failed',
      reason: 'tasks-failed',
      message: `${failed} of ${tasks} tasks failed. GET /v1/jobs?array=<this job>&state=failed lists them.`,
    };
  return { to: 'cancelled', reason: 'cancelled', message: `${cancelled} of ${tasks} tasks were cancelled.` };
}
