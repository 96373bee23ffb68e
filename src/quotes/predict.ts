import type { JobSpec } from '../protocol/job-spec.ts';
import { overheadOf } from './overhead.ts';
import { workSeconds, type Gang } from './speed.ts';
import type { Work } from './work.ts';

/**
 * Seconds from the runner's start to the job's end as the model alone sees it, before any history. Residuals are taken against
 * this, so it must not depend on them. Undefined for an accelerator the catalogue does not know.
 */
export function modelSeconds(spec: JobSpec, work: Work, gang: Gang): number | undefined {
  const seconds = workSeconds(work, gang);
  if (seconds === undefined) return undefined;
  const around = Object.values(overheadOf(spec, work, gang.kind));
  return around.reduce((sum, each) => sum + each, seconds);
}
