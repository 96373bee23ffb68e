import { invalid, WeirError } from '../core/errors.ts';
import { fromUsd, formatUsd, toUsd, type MicroUsd } from '../core/money.ts';
import type { Blocker } from '../protocol/common.ts';
import type { JobSpec } from '../protocol/job-spec.ts';
import type { QuoteOption } from '../protocol/quote.ts';
import type { Policy } from '../protocol/tenant.ts';

/** What a job takes of its budget when it starts: what its owner allows, else what it is quoted to cost at most. */
export function reservationFor(spec: Pick<JobSpec, 'maxCostUsd'>, option: QuoteOption): MicroUsd {
  return fromUsd(spec.maxCostUsd ?? option.costUsd.p90);
}

const defaultPriority = 50;

export function checkPriority({ priorityCeiling }: Policy, { priority }: JobSpec): void {
  if (priority === undefined || priorityCeiling === undefined || priority <= priorityCeiling) return;
  throw invalid('/priority', `The tenant's policy allows priorities up to ${priorityCeiling}; this is ${priority}.`);
}

/** Where the spec says nothing, the usual priority, or what the policy allows of it. */
export function withPriority(spec: JobSpec, { priorityCeiling = 100 }: Policy): JobSpec {
  return spec.priority === undefined && priorityCeiling < defaultPriority
    ? { ...spec, priority: priorityCeiling }
    : spec;
}

type Admission = {
  policy: Policy;
  spec: JobSpec;
  spentTotal: MicroUsd;
  petaflopsPerAccelerator: (kind: string) => number;
};

/**
 * Refuses what the policy can never let start on any option. What it may let start later is accepted and waits.
 * @throws WeirError `can-never-start` with the blockers.
 */
export function checkPolicy(admission: Admission, options: QuoteOption[]): void {
  const blockers = options.map((option) => [...capBlockers(admission, option), ...budgetBlockers(admission, option)]);
  const [first = []] = blockers.toSorted((a, b) => a.length - b.length);
  if (first.length === 0) return;
  throw new WeirError('can-never-start', first.map(({ message }) => message).join(' '), { extra: { blockers: first } });
}

function capBlockers(
  { policy: { caps = {} }, petaflopsPerAccelerator }: Admission,
  { offer: { accelerators, nodes } }: QuoteOption,
): Blocker[] {
  const wanted = accelerators.count * nodes;
  const petaflops = petaflopsPerAccelerator(accelerators.kind) * wanted;
  const { runningJobs = Infinity, computePflops = Infinity } = caps;
  const cap = caps.accelerators?.[accelerators.kind] ?? Infinity;
  const blockers: Blocker[] = [];
  if (runningJobs === 0)
    blockers.push({
      code: 'cap',
      message: 'The policy lets this tenant run no jobs.',
      unblocks: 'An operator raises caps.runningJobs.',
    });
  if (wanted > cap)
    blockers.push({
      code: 'cap',
      message: `The job wants ${wanted} ${accelerators.kind} at once; the tenant's cap is ${cap}.`,
      unblocks: `Ask for at most ${cap}, or an operator raises caps.accelerators.`,
    });
  if (petaflops > computePflops)
    blockers.push({
      code: 'cap',
      message: `The job wants ${Number(petaflops.toPrecision(3))} PFLOP/s at once; the tenant's cap is ${computePflops}.`,
      unblocks: 'Ask for fewer or slower accelerators, or an operator raises caps.computePflops.',
    });
  return blockers;
}

/** A new month brings new money; what is spent of the total does not come back. */
function budgetBlockers({ policy: { budget }, spec, spentTotal }: Admission, option: QuoteOption): Blocker[] {
  const reservation = reservationFor(spec, option);
  return (
    [
      ['monthlyUsd', 0],
      ['totalUsd', spentTotal],
    ] as const
  )
    .filter(([name, spent]) => reservation + spent > fromUsd(budget?.[name] ?? Infinity))
    .map(([name, spent]) => ({
      code: 'budget',
      message: `The job reserves ${formatUsd(toUsd(reservation))}; budget.${name} is ${formatUsd(budget?.[name] ?? 0)}${spent > 0 ? `, of which ${formatUsd(toUsd(spent))} is spent` : ''}.`,
      unblocks: 'Set maxCostUsd to less, or an operator raises the budget.',
    }));
}
