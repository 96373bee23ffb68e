import { measureOf, outcomeOf } from '../../src/dispatch/simulate-outcome.ts';
import type { Scenario } from '../../src/dispatch/simulate-jobs.ts';
import { simulate } from '../../src/dispatch/simulate.ts';
import type { SimulationOutcome } from '../../src/protocol/simulation.ts';

export type Variant = { name: string; scenario: Scenario };

export type Compared = {
  variants: { name: string; outcome: SimulationOutcome }[];
  summary: { jobs: number; tenants: number; elapsedSeconds: number; timesFasterThanReal: number };
};

/** Replays each variant in turn. */
export function compare(variants: readonly Variant[]): Compared {
  const startedAt = performance.now();
  const outcomes = variants.map(({ name, scenario }) => ({
    name,
    outcome: outcomeOf(simulate(scenario), measureOf(scenario)),
  }));
  const elapsedSeconds = (performance.now() - startedAt) / 1000;
  const simulatedSeconds = outcomes.reduce((sum, { outcome }) => sum + outcome.makespanSeconds, 0);
  const [first] = outcomes;
  return {
    variants: outcomes,
    summary: {
      jobs: first?.outcome.jobs ?? 0,
      tenants: first?.outcome.tenants.length ?? 0,
      elapsedSeconds,
      timesFasterThanReal: simulatedSeconds / elapsedSeconds,
    },
  };
}
