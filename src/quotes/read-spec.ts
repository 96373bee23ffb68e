import { WeirError } from '../core/errors.ts';
import type { JobSpec } from '../protocol/job-spec.ts';
import { requireProviders, type Wares } from './sellers.ts';
import { withTotalAsGang } from './total-count.ts';
import { wantedOf, type Wanted } from './wanted.ts';
import { requireConsistent } from './work-faults.ts';

/**
 * What the spec asks for, once all of it is known to make sense.
 * @throws WeirError `invalid` with every fault of its workload, accelerators and providers.
 */
export function readSpec(
  { workload = {}, resources }: Pick<JobSpec, 'workload' | 'resources'>,
  wares: Wares,
): { wanted: Wanted; reading: string | null } {
  const refusals: WeirError[] = [];
  const checked = <T>(check: () => T): T | undefined => {
    try {
      return check();
    } catch (error) {
      if (!(error instanceof WeirError)) throw error;
      refusals.push(error);
      return undefined;
    }
  };
  const read = checked(() => withTotalAsGang(wantedOf(resources), wares));
  checked(() => requireProviders(resources?.providers ?? [], wares));
  checked(() => requireConsistent(workload));
  if (read !== undefined && refusals.length === 0) return read;
  const message = refusals.map((refusal) => refusal.message).join(' ');
  throw new WeirError('invalid', message, { faults: refusals.flatMap(({ faults }) => faults) });
}
