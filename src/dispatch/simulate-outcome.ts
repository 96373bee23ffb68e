import { toUsd } from '../core/money.ts';
import { dayMs, hourMs } from '../core/time.ts';
import { concentration } from '../shares/concentration.ts';
import type { SimulationOutcome } from '../protocol/simulation.ts';
import { fairnessOf } from './simulate-fairness.ts';
import type { Run, Scenario } from './simulate-jobs.ts';

type Waits = SimulationOutcome['waitSeconds'];
type TenantOutcome = SimulationOutcome['tenants'][number];

export type Measure = {
  weightOf: (tenantId: string) => number;
  /** What the pools can give at once; Infinity where one can't be counted. */
  poolPetaflops: number;
};

/** What a scenario's outcome is measured by. */
export function measureOf({
  policies,
  capacities,
  poolPetaflops,
}: Pick<Scenario, 'policies' | 'capacities' | 'poolPetaflops'>): Measure {
  const isCountable = [...capacities.values()].every((capacity) => capacity !== undefined);
  return {
    weightOf: (tenantId) => policies.get(tenantId)?.weight ?? 1,
    poolPetaflops: isCountable ? poolPetaflops : Infinity,
  };
}

/** What came out of a replay, or of what really happened: the same figures of both. */
export function outcomeOf(runs: readonly Run[], measure: Measure): SimulationOutcome {
  const from = runs.reduce((first, { submittedAt }) => Math.min(first, submittedAt), Infinity);
  const to = runs.reduce((last, { stretches }) => Math.max(last, stretches.at(-1)?.endedAt ?? -Infinity), from);
  const compute = sum(runs.map(petaflopSeconds));
  const makespanSeconds = runs.length === 0 ? 0 : (to - from) / 1000;
  const possible = measure.poolPetaflops * makespanSeconds;
  const tenants = [...Map.groupBy(runs, ({ tenantId }) => tenantId)].map(([tenant, own]) =>
    tenantOutcome(tenant, own, compute),
  );
  const fairness = fairnessOf(runs, measure.weightOf, from, to);
  return {
    jobs: runs.length,
    unstarted: runs.filter(({ stretches }) => stretches.length === 0).length,
    waitSeconds: waitsOf(runs),
    makespanSeconds,
    compute: days(compute),
    wastedCompute: days(sum(runs.map(({ petaflops, wastedMs }) => (petaflops * wastedMs) / 1000))),
    acceleratorHours: sum(runs.map((run) => (run.accelerators.count * lengthMs(run)) / hourMs)),
    costUsd: toUsd(sum(runs.map(({ microUsd }) => microUsd))),
    utilization: Number.isFinite(possible) && possible > 0 ? compute / possible : null,
    concentration: concentration(tenants.map((tenant) => tenant.compute)),
    dailyHhi: fairness.dailyHhi,
    fairnessError: fairness.error,
    tenants: tenants.toSorted((a, b) => b.compute - a.compute || (a.tenant < b.tenant ? -1 : 1)),
  };
}

function tenantOutcome(tenant: string, runs: Run[], total: number): TenantOutcome {
  const compute = sum(runs.map(petaflopSeconds));
  return {
    tenant,
    jobs: runs.length,
    unstarted: runs.filter(({ stretches }) => stretches.length === 0).length,
    waitSeconds: waitsOf(runs),
    compute: days(compute),
    share: total > 0 ? compute / total : 0,
    costUsd: toUsd(sum(runs.map(({ microUsd }) => microUsd))),
  };
}

function waitsOf(runs: readonly Run[]): Waits {
  const waits = runs
    .flatMap(({ submittedAt, stretches: [first] }) =>
      first === undefined ? [] : (first.startedAt - submittedAt) / 1000,
    )
    .toSorted((a, b) => a - b);
  const at = (part: number) => waits[Math.min(waits.length - 1, Math.ceil(part * waits.length) - 1)] ?? null;
  const mean = waits.length === 0 ? null : sum(waits) / waits.length;
  return { mean, p50: at(0.5), p90: at(0.9), p95: at(0.95), p99: at(0.99), max: waits.at(-1) ?? null };
}

function petaflopSeconds(run: Run): number {
  return (run.petaflops * lengthMs(run)) / 1000;
}

function lengthMs({ stretches }: Run): number {
  return sum(stretches.map(({ startedAt, endedAt }) => endedAt - startedAt));
}

/** Petaflop-seconds in the unit of shares. */
function days(amount: number): number {
  return (amount * 1000) / dayMs;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
