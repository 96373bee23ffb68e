import type { JobSpec } from '../protocol/job-spec.ts';
import { workSeconds, type Gang } from './speed.ts';
import type { Work } from './work.ts';

/** What `setup` and a container image usually take before the command begins. */
const setupSeconds = 30;
const imageSeconds = 60;

/**
 * Seconds from the runner's start to the job's end as the model alone sees it, before any history. Residuals are taken against
 * this, so it must not depend on them. Undefined for an accelerator the catalogue does not know.
 */
export function modelSeconds(spec: JobSpec, work: Work, gang: Gang): number | undefined {
  const seconds = workSeconds(work, gang);
  if (seconds === undefined) return undefined;
  return seconds + (spec.setup === undefined ? 0 : setupSeconds) + (spec.image === undefined ? 0 : imageSeconds);
}
