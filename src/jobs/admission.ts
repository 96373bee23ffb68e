import { invalid, WeirError } from '../core/errors.ts';
import { fromUsd, formatUsd, toUsd, type MicroUsd } from '../core/money.ts';
import type { Blocker } from '../protocol/common.ts';
import type { JobSpec } from '../protocol/job-spec.ts';
import type { QuoteOption } from '../protocol/quote.ts';
import type { Policy } from '../protocol/tenant.ts';
import type { Lineage } from '../tenants/lineage.ts';

/** What a job takes of its budget when it starts: what its owner allows, else what it is quoted to cost at most. */
export function reservationFor(spec: Pick<JobSpec, 'maxCostUsd'>, option: QuoteOption): MicroUsd {
  return fromUsd(spec.maxCostUsd ?? option.costUsd.p90);
}

export const defaultPriority = 50;

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
  /** The tenant, then those above it: their limits hold together. */
  lineage: Lineage;
  spec: JobSpec;
  /** By the tenant itself. What its organisation has spent is looked at when the job is to start. */
  spentTotal: MicroUsd;
  petaflopsPerAccelerator: (kind: string) => number;
};

/**
 * Refuses what the policies can never let start on any option. What they may let start later is accepted and waits.
 * @throws WeirError `can-never-start` with the blockers of the option that the least is in the way of, and what would change that.
 */
export function checkPolicy(admission: Admission, options: QuoteOption[]): void {
  const blockers = options.map((option) =>
    admission.lineage.flatMap((level, index) => [
      ...limitBlockers(level, index > 0, admission, option),
      ...budgetBlockers(level, index > 0, admission, option),
    ]),
  );
  const [first = []] = blockers.toSorted((a, b) => a.length - b.length);
  if (first.length === 0) return;
  throw new WeirError('can-never-start', first.map(({ message }) => message).join(' '), {
    extra: { blockers: first, smallestChange: first.map(({ unblocks }) => unblocks).join(' ') },
  });
}

type Level = Lineage[number];

function limitBlockers(
  { id, policy }: Level,
  isAbove: boolean,
  { petaflopsPerAccelerator }: Admission,
  { offer: { accelerators, nodes } }: QuoteOption,
): Blocker[] {
  const { kind } = accelerators;
  const wanted = accelerators.count * nodes;
  const petaflops = Number((petaflopsPerAccelerator(kind) * wanted).toPrecision(3));
  const who = isAbove ? `the organisation ${id}` : 'the tenant';
  const { runningJobs = Infinity, computePflops = Infinity } = policy.caps ?? {};
  const blockers = countBlockers(policy, { kind, wanted, who });
  if (runningJobs === 0)
    blockers.push({
      code: 'cap',
      message: `The policy lets ${who} run no jobs.`,
      unblocks: 'An operator raises caps.runningJobs.',
    });
  if (petaflops > computePflops)
    blockers.push({
      code: 'cap',
      message: `The job wants ${petaflops} PFLOP/s at once; the cap of ${who} is ${computePflops}.`,
      unblocks: `Ask for fewer or slower accelerators, or an operator raises caps.computePflops to ${petaflops}.`,
    });
  return blockers;
}

/** Of accelerators of one kind: the cap, and what is guaranteed and may be borrowed. */
function countBlockers(
  { caps = {}, guaranteed = {}, borrowing = {} }: Policy,
  { kind, wanted, who }: { kind: string; wanted: number; who: string },
): Blocker[] {
  const cap = caps.accelerators?.[kind] ?? Infinity;
  const own = guaranteed[kind] ?? 0;
  const quota = own + (borrowing[kind] ?? Infinity);
  const unit = kind === 'cpu' ? 'cores' : kind;
  const blockers: Blocker[] = [];
  if (wanted > cap)
    blockers.push({
      code: 'cap',
      message: `The job wants ${wanted} ${unit} at once; the cap of ${who} is ${cap}.`,
      unblocks: `Ask for at most ${cap} ${unit}, or an operator raises caps.accelerators to ${wanted}.`,
    });
  if (wanted > quota)
    blockers.push({
      code: 'quota',
      message: `The job wants ${wanted} ${unit} at once; ${who} is guaranteed ${own} and may borrow ${quota - own}.`,
      unblocks: `Ask for at most ${quota} ${unit}, or an operator raises borrowing to ${wanted - own}.`,
    });
  return blockers;
}

/** A new month brings new money; what is spent of the total does not come back. */
function budgetBlockers(
  { id, policy: { budget } }: Level,
  isAbove: boolean,
  { spec, spentTotal }: Admission,
  option: QuoteOption,
): Blocker[] {
  const reservation = reservationFor(spec, option);
  const owner = isAbove ? ` of the organisation ${id}` : '';
  return (
    [
      ['monthlyUsd', 0],
      ['totalUsd', isAbove ? 0 : spentTotal],
    ] as const
  )
    .filter(([name, spent]) => reservation + spent > fromUsd(budget?.[name] ?? Infinity))
    .map(([name, spent]) => {
      const left = Math.max(0, fromUsd(budget?.[name] ?? 0) - spent);
      const reserves = `The job reserves ${formatUsd(toUsd(reservation))}`;
      const spentPart = spent > 0 ? `, of which ${formatUsd(toUsd(spent))} is spent` : '';
      const lower = left > 0 ? `Set maxCostUsd to at most ${formatUsd(toUsd(left))}, or an` : 'An';
      return {
        code: 'budget',
        message: `${reserves}; budget.${name}${owner} is ${formatUsd(budget?.[name] ?? 0)}${spentPart}.`,
        unblocks: `${lower} operator raises the budget by ${formatUsd(toUsd(reservation - left))}.`,
      };
    });
}
