import type { Policy } from '../protocol/tenant.ts';
import { bindingOf, parentsOf } from './limits.ts';
import type { Scenario, SimulatedJob } from './simulate-jobs.ts';

export type Bindings = (tenantId: string) => Policy;

/** Of each tenant the policy that binds it, those of the organisations above it included. */
export function createBindings(policies: ReadonlyMap<string, Policy>): Bindings {
  const parents = parentsOf(policies);
  const known = new Map<string, Policy>();
  return (tenantId) => {
    const binding = known.get(tenantId) ?? bindingOf(tenantId, policies, parents);
    known.set(tenantId, binding);
    return binding;
  };
}

/** The jobs as the service would look at them: where their tenants may run, and with no more priority than they may have. */
export function boundJobs({ jobs, policies, order }: Scenario): readonly SimulatedJob[] {
  if (order === 'fifo') return jobs;
  const bindings = createBindings(policies);
  return jobs.map((job) => {
    const { providers, regions, priorityCeiling = Infinity } = bindings(job.tenantId);
    const isOpen = ({ provider, region }: SimulatedJob['choices'][number]) =>
      (providers?.includes(provider) ?? true) && (region === undefined || (regions?.includes(region) ?? true));
    return { ...job, priority: Math.min(job.priority, priorityCeiling), choices: job.choices.filter(isOpen) };
  });
}
