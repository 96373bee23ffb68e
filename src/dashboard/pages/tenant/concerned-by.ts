import type { Simulation } from '../../../../infra/cli/generated/api.ts';

/** The tenant itself, then those for whom anything would be otherwise. */
export function concernedBy(
  { baseline, simulated }: Pick<Simulation, 'baseline' | 'simulated'>,
  tenantId: string,
): string[] {
  const before = new Map(baseline?.tenants.map((of) => [of.tenant, JSON.stringify(of)]));
  const changed = simulated.tenants.filter(
    (of) => of.tenant !== tenantId && JSON.stringify(of) !== before.get(of.tenant),
  );
  return [tenantId, ...changed.map(({ tenant }) => tenant)];
}
