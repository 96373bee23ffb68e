import { formatUsd } from '../../src/core/money.ts';
import { formatDuration } from '../../src/core/time.ts';
import type { SimulationOutcome } from './generated/api.ts';
import { isTerminal, paint, print } from './screen.ts';
import { table } from './table.ts';
import { percent } from './words.ts';

/** Outcomes side by side; `name` is the head of a column. */
export type Variant = { name: string; outcome: SimulationOutcome };

/** Names of tenants by their ids, as far as they are known. */
export type TenantNames = ReadonlyMap<string, string>;

const unknown = '–';
const duration = (seconds: number | null) => (seconds === null ? unknown : formatDuration(seconds));
const part = (share: number | null) => (share === null ? unknown : percent(share));
const decimal = (value: number | null) => (value === null ? unknown : value.toFixed(3));

const figures: [string, (outcome: SimulationOutcome) => string][] = [
  ['jobs', ({ jobs }) => String(jobs)],
  ['never started', ({ unstarted }) => String(unstarted)],
  ['wait, mean', ({ waitSeconds }) => duration(waitSeconds.mean)],
  ['wait, p95', ({ waitSeconds }) => duration(waitSeconds.p95)],
  ['wait, longest', ({ waitSeconds }) => duration(waitSeconds.max)],
  ['utilization', ({ utilization }) => part(utilization)],
  ['fairness error', ({ fairnessError }) => part(fairnessError)],
  ['HHI', ({ concentration }) => decimal(concentration.hhi)],
  ['largest share', ({ concentration }) => part(concentration.largestShare)],
  ['wasted, PFLOP/s-days', ({ wastedCompute }) => decimal(wastedCompute)],
  ['cost', ({ costUsd }) => formatUsd(costUsd)],
];

/** The figures of all, and then of each tenant its share, how long it waited and what it paid. */
export function showVariants(variants: readonly Variant[], names: TenantNames): void {
  table(
    ['', ...variants.map(({ name }) => name)],
    figures.map(([label, show]) => [label, ...variants.map(({ outcome }) => show(outcome))]),
  );
  if (isTerminal) print(`\n${paint('bold', 'By tenant')}`);
  const tenants = [...new Set(variants.flatMap(({ outcome }) => outcome.tenants.map(({ tenant }) => tenant)))];
  table(
    ['tenant', '', ...variants.map(({ name }) => name)],
    tenants.flatMap((tenant) => tenantRows(names.get(tenant) ?? tenant, outcomesOf(tenant, variants))),
  );
}

type OfTenant = SimulationOutcome['tenants'][number];

function outcomesOf(tenant: string, variants: readonly Variant[]): (OfTenant | undefined)[] {
  return variants.map(({ outcome }) => outcome.tenants.find((each) => each.tenant === tenant));
}

const tenantFigures: [string, (outcome: OfTenant) => string][] = [
  ['share', ({ share }) => percent(share)],
  ['wait, mean', ({ waitSeconds }) => duration(waitSeconds.mean)],
  ['never started', ({ unstarted }) => String(unstarted)],
  ['cost', ({ costUsd }) => formatUsd(costUsd)],
];

function tenantRows(name: string, outcomes: (OfTenant | undefined)[]): string[][] {
  return tenantFigures.map(([label, show], index) => [
    index === 0 || !isTerminal ? name : '',
    label,
    ...outcomes.map((outcome) => (outcome === undefined ? unknown : show(outcome))),
  ]);
}
