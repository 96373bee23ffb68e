import { invalid, WeirError } from '../core/errors.ts';
import { fromUsd, formatUsd, toUsd, type MicroUsd } from '../core/money.ts';
import { formatRate } from '../core/quantity.ts';
import { formatDuration, parseDuration } from '../core/time.ts';
import type { Blocker } from '../protocol/common.ts';
import type { JobSpec } from '../protocol/job-spec.ts';
import type { Offer, QuoteOption } from '../protocol/quote.ts';
import type { Policy } from '../protocol/tenant.ts';
import { tasksOf } from '../quotes/array.ts';
import { quotaFault, type PassedQuota } from '../quotes/reasons.ts';
import type { Lineage } from '../tenants/lineage.ts';

/** What a job takes of its budget when it starts: what its owner allows, else what it is quoted to cost at most. */
export function reservationFor(spec: Pick<JobSpec, 'maxCostUsd'>, option: Pick<QuoteOption, 'costUsd'>): MicroUsd {
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

/** What may ever be, whoever is at work now. */
export type Prospects = {
  /** What each tenant has spent, with all below it. */
  spentTotals: ReadonlyMap<string, MicroUsd>;
  /** Of a provider's accelerators of a kind, what this tenant could have; Infinity where it can't be counted. */
  most: (provider: string, kind: string) => number;
  /** Limits of the operator's account with its provider that the offer passes by itself, with what it wants of each. */
  tooSmall: (offer: Offer) => PassedQuota[];
  /** All that the pool could give at once; Infinity where a part can't be counted. */
  poolPetaflops: number;
  /** On the concentration of the pool over a window; Infinity where there is none. */
  ceilings: { hhi: number; largestShare: number; windowMs: number };
};

type Admission = Prospects & {
  /** The tenant, then those above it: their limits hold together. */
  lineage: Lineage;
  spec: JobSpec;
  petaflopsPerAccelerator: (kind: string) => number;
};

/**
 * Refuses what the policies can never let start on any option. What they may let start later is accepted and waits.
 * @throws WeirError `can-never-start` with the blockers of the option that the least is in the way of, and what would change that.
 */
export function checkPolicy(admission: Admission, options: QuoteOption[]): void {
  const blockers = options.map((option) => [
    ...admission.lineage.flatMap((level, index) => [
      ...limitBlockers(level, index > 0, admission, option),
      ...budgetBlockers(level, index > 0, admission, option),
      ...shareBlockers(level, index > 0, admission, option),
    ]),
    ...keptBlockers(admission, option),
    ...concentrationBlockers(admission, option),
  ]);
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
  { spec, petaflopsPerAccelerator }: Admission,
  { offer: { accelerators, nodes } }: QuoteOption,
): Blocker[] {
  const { kind } = accelerators;
  const wanted = accelerators.count * nodes;
  const petaflops = petaflopsPerAccelerator(kind) * wanted;
  const who = isAbove ? `the organisation ${id}` : 'the tenant';
  const { runningJobs = Infinity, computePflops = Infinity } = policy.caps ?? {};
  const blockers = [...countBlockers(policy, { kind, wanted, who }), ...queueBlockers(policy, tasksOf(spec), who)];
  if (runningJobs === 0)
    blockers.push({
      code: 'cap',
      message: `The policy lets ${who} run no jobs.`,
      unblocks: 'An operator raises caps.runningJobs.',
    });
  if (petaflops > computePflops * (1 + tolerance))
    blockers.push({
      code: 'cap',
      message: `The job wants ${formatRate(upwards(petaflops))} at once; the cap of ${who} is ${formatRate(computePflops)}.`,
      unblocks: `Ask for fewer or slower accelerators, or an operator raises caps.computePflops to ${upwards(petaflops)}.`,
    });
  return blockers;
}

/** Tasks of an array are queued all at once: where they are more than the cap, no end of another makes room for them. */
function queueBlockers({ caps: { queuedJobs = Infinity } = {} }: Policy, tasks: number, who: string): Blocker[] {
  if (tasks <= queuedJobs) return [];
  const smaller = queuedJobs > 0 ? `Make arrays of at most ${queuedJobs} tasks, or an` : 'An';
  return [
    {
      code: 'cap',
      message:
        tasks === 1
          ? `The policy lets ${who} queue no jobs.`
          : `The array has ${tasks} tasks; ${who} may have ${queuedJobs} jobs queued.`,
      unblocks: `${smaller} operator raises caps.queuedJobs to ${tasks}.`,
    },
  ];
}

/** Sums of speeds are not exact: as a cycle compares them. */
const tolerance = 1e-9;

/** To three figures, so that what is named would be enough. */
function upwards(petaflops: number): number {
  const unit = 10 ** (Math.floor(Math.log10(petaflops)) - 2);
  return Number((Math.ceil((petaflops / unit) * (1 - tolerance)) * unit).toPrecision(3));
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
  { spec, spentTotals }: Admission,
  option: QuoteOption,
): Blocker[] {
  const reservation = reservationFor(spec, option);
  const owner = isAbove ? ` of the organisation ${id}` : '';
  return (
    [
      ['monthlyUsd', 0],
      ['totalUsd', spentTotals.get(id) ?? 0],
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

/** What others are guaranteed and do not lend is theirs, idle or not: of each kind that the job takes, as a cycle looks at it. */
function keptBlockers({ lineage, most, spec }: Admission, { offer }: QuoteOption): Blocker[] {
  const { provider, accelerators, nodes } = offer;
  const own = { kind: accelerators.kind, wanted: accelerators.count * nodes };
  const cores = (spec.resources?.cpus ?? accelerators.count) * nodes;
  const taken = [
    ...(isGuaranteed(lineage, own) ? [] : [own]),
    ...(accelerators.kind === 'cpu' ? [] : [{ kind: 'cpu', wanted: cores }]),
  ];
  return taken
    .map(({ kind, wanted }) => ({ kind, wanted, left: Math.max(0, most(provider, kind)) }))
    .filter(({ wanted, left }) => wanted > left)
    .map(({ kind, wanted, left }) => {
      const unit = kind === 'cpu' ? 'cores' : kind;
      return {
        code: 'quota',
        message: `The job wants ${wanted} ${unit} at once; ${provider} has ${left} that other tenants are not guaranteed without lending them.`,
        unblocks: `Ask for at most ${left} ${unit}, or an operator raises what the others lend by ${wanted - left}.`,
      };
    });
}

/** Within its tenant's guarantee, and within that of the highest above it that has one. */
function isGuaranteed(lineage: Lineage, { kind, wanted }: { kind: string; wanted: number }): boolean {
  const guarantees = lineage.map(({ policy }) => policy.guaranteed?.[kind] ?? 0);
  const highest = guarantees.findLast((guaranteed) => guaranteed > 0) ?? 0;
  return wanted <= (guarantees[0] ?? 0) && wanted <= highest;
}

/** What the operator's account with the provider may never have up at once. */
export function accountBlockers(passed: readonly PassedQuota[], { provider }: Offer): Blocker[] {
  return passed.map((quota) => ({
    code: 'quota',
    message: `${quotaFault(quota, provider)}.`,
    unblocks: `Ask for fewer, or an operator asks for ${quota.wanted} at ${quota.raiseAt}.`,
  }));
}

/** A job that is more than the cap by itself, were others to use all that the pool gives in the window. */
function shareBlockers(
  { id, policy: { shareCap } }: Level,
  isAbove: boolean,
  admission: Admission,
  option: QuoteOption,
): Blocker[] {
  if (shareCap?.mode !== 'hard') return [];
  const window = shareCap.window ?? '30d';
  const alone = shareAlone(admission, option, parseDuration(window));
  if (alone.share <= shareCap.share) return [];
  const owner = isAbove ? ` of the organisation ${id}` : '';
  return [
    {
      code: 'share-cap',
      message: `The job alone is ${percent(alone.share)} of all that the pool could give in ${window}; the hard share cap${owner} is ${percent(shareCap.share)}.`,
      unblocks: `${alone.shorten(shareCap.share)}, or an operator raises shareCap.share to ${roundedUp(alone.share)} or its window.`,
    },
  ];
}

/** The same of the pool's ceilings: with all the rest spread evenly over many, the job's own share is the least that the figures can be. */
function concentrationBlockers(admission: Admission, option: QuoteOption): Blocker[] {
  const { hhi, largestShare, windowMs } = admission.ceilings;
  const alone = shareAlone(admission, option, windowMs);
  const figures = [
    { name: 'largest share', field: 'largestShareCeiling', least: alone.share, most: largestShare, part: largestShare },
    { name: 'HHI', field: 'hhiCeiling', least: alone.share ** 2, most: hhi, part: Math.sqrt(hhi) },
  ];
  return figures
    .filter(({ least, most }) => least > most)
    .map(({ name, field, least, most, part }) => ({
      code: 'concentration',
      message: `The job alone is ${percent(alone.share)} of all that the pool could give in ${formatDuration(windowMs / 1000)}: its ${name} would be ${least.toFixed(3)} at least, and its ceiling is ${most}.`,
      unblocks: `${alone.shorten(part)}, or an operator raises ${field} of the pool's policy to ${roundedUp(least)}.`,
    }));
}

/** What a job is of all that the pool could give in a window and itself, and how much shorter it would be within a share. */
function shareAlone(
  { poolPetaflops, petaflopsPerAccelerator }: Admission,
  { offer: { accelerators, nodes }, durationSeconds }: QuoteOption,
  windowMs: number,
): { share: number; shorten: (share: number) => string } {
  const petaflops = petaflopsPerAccelerator(accelerators.kind) * accelerators.count * nodes;
  const entry = petaflops * durationSeconds.p50;
  const window = (poolPetaflops * windowMs) / 1000;
  return {
    share: poolPetaflops === Infinity || entry === 0 ? 0 : entry / (window + entry),
    shorten: (share) => {
      const seconds = ((share / (1 - share)) * window) / petaflops;
      return `Ask for fewer accelerators, or for a job of at most ${formatDuration(Math.floor(seconds))}`;
    },
  };
}

const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
const roundedUp = (share: number) => Math.ceil(share * 1000) / 1000;
