import { createCache } from '../core/cache.ts';
import { partIds } from '../core/ids.ts';
import type { Clock } from '../core/time.ts';
import type { JobSpec } from '../protocol/job-spec.ts';
import type { Measured, Quote, QuoteOption } from '../protocol/quote.ts';
import type { Policy } from '../protocol/tenant.ts';
import { arrayAssumptions, ofAllTasks, tasksOf } from './array.ts';
import { assumptionsOf, basisOf, type QuotedOn } from './assumptions.ts';
import { spreadOf, type Evidence, type Spread } from './interval.ts';
import { overheadOf, volumesOf } from './overhead.ts';
import { listOptions, type QueueWait } from './options.ts';
import { evidenceOf } from './pilot.ts';
import type { Catalogue } from './price-list.ts';
import { readSpec } from './read-spec.ts';
import { inOrder, recommend } from './recommend.ts';
import { indexWares, type Seller, type Wares } from './sellers.ts';
import { gangOf } from './speed.ts';
import { mostTelling, type Telling } from './telling.ts';
import { resolveWork, type Work } from './work.ts';

/** Finished jobs described in the same way, on the same kind of accelerator. */
export type History = (work: Work, kind: string) => Evidence;

/** The tenant's share of compute: now, and after so many PFLOP/s-days more. */
export type ShareOutlook = {
  window: string;
  before: number;
  after: (petaflopDays: number) => number;
  cap: number | null;
};

export type QuoteInput = {
  id: string;
  spec: JobSpec;
  now: Date;
  quoteMs: number;
  wares: Wares;
  history: History;
  /** By a pilot of this job. */
  measured?: Measured | undefined;
  policy: Pick<Policy, 'providers' | 'regions'>;
  share: ShareOutlook;
  queueWait: QueueWait;
  bucketRegion: string | null;
  /** The unit of shares, with this host's own rate of a core. */
  petaflopsPerAccelerator: (kind: string) => number;
};

/**
 * The quote, as a pure function of what is known.
 * @throws WeirError `invalid` for a workload that contradicts itself, or an accelerator or provider that does not exist.
 */
export function computeQuote(input: QuoteInput): Quote {
  const { id, spec, now, quoteMs, share, petaflopsPerAccelerator } = input;
  const { recommended, notes, ...weighed } = weigh(input);
  const { work, spread, options, best, telling } = weighed;
  const tasks = tasksOf(spec);
  return {
    id,
    createdAt: now.toISOString(),
    expiresAt: new Date(now.getTime() + quoteMs).toISOString(),
    workload: {
      flops: work.flops,
      basis: basisOf(work, spread),
      assumptions: [...assumptionsOf(weighed), ...arrayAssumptions(tasks, best), ...notes],
      mostTelling: telling ?? null,
    },
    options: options.map((option) => ofAllTasks(option, tasks)),
    recommended,
    shareImpact: impactOf(
      share,
      tasks * petaflopDaysOf(recommended === null ? undefined : best, petaflopsPerAccelerator),
    ),
    calibration: calibrationOf(spread),
  };
}

/** The options in their order, the recommended one, and all that they rest on. */
function weigh(input: QuoteInput): QuotedOn & { recommended: string | null; notes: string[] } {
  const { id, spec, now, wares, history, measured, policy, queueWait, bucketRegion } = input;
  const { wanted, reading } = readSpec(spec, wares);
  const work = resolveWork(spec.workload);
  const pilot = measured && evidenceOf(measured, spec, work, wanted.kind);
  const spread = spreadOf(work, wanted.kind, { ...history(work, wanted.kind), pilot });
  const around = { volumes: volumesOf(spec, work), overhead: overheadOf(spec, work, wanted.kind), bucketRegion };
  const optionId = partIds('option', id);
  let made = 0;
  const newId = () => optionId(made++);
  const goal = { ...spec, providers: wanted.providers, isCountOpen: wanted.count === null };
  const planned = inOrder(listOptions({ spec, work, wanted, wares, spread, policy, queueWait, around, newId }), goal);
  const options = planned.map(({ option }) => option);
  const { recommended, notes } = recommend(options, goal, now);
  const best = options.find((option) => option.id === recommended) ?? options[0];
  const wholeSeconds = planned.find(({ option }) => option === best)?.wholeSeconds;
  const wait = best && queueWait(best.offer, best.durationSeconds);
  const isMeasured = spread.calibration !== undefined || pilot !== undefined;
  const telling = isMeasured ? undefined : tellingOf(spec, work, best);
  const { catalogue } = wares;
  return {
    spec,
    wanted,
    reading,
    work,
    spread,
    options,
    around,
    catalogue,
    telling,
    best,
    wholeSeconds,
    wait,
    now,
    recommended,
    notes,
  };
}

function impactOf({ window, before, after, cap }: ShareOutlook, petaflopDays: number): Quote['shareImpact'] {
  return { window, before, after: after(petaflopDays), cap };
}

function calibrationOf({ calibration }: Spread): Quote['calibration'] {
  return {
    runs: calibration?.runs ?? 0,
    medianErrorPercent: calibration?.medianErrorPercent ?? null,
    coveragePercent: calibration?.coveragePercent ?? null,
  };
}

function tellingOf(spec: JobSpec, work: Work, option: QuoteOption | undefined): Telling | undefined {
  return option && mostTelling(spec, work, gangOf(option.offer));
}

function petaflopDaysOf(option: QuoteOption | undefined, petaflopsPerAccelerator: (kind: string) => number): number {
  if (option === undefined) return 0;
  const { accelerators, nodes } = option.offer;
  return (
    (petaflopsPerAccelerator(accelerators.kind) * accelerators.count * nodes * option.durationSeconds.p50) / 86_400
  );
}

export type QuoterDeps = {
  /** The configured providers' wares. */
  sellers: () => Promise<Seller[]>;
  /** With the newest prices. */
  catalogue: () => Promise<Catalogue>;
  history: (tenantId: string, name: string) => Promise<History>;
  policy: (tenantId: string) => Promise<Policy>;
  share: (tenantId: string) => Promise<ShareOutlook>;
  /** Of such a job of this tenant, submitted now. */
  queueWait: (tenantId: string, spec: JobSpec) => Promise<QueueWait>;
  petaflopsPerAccelerator: (kind: string) => number;
  /** Where the bucket of a tenant of this policy is; null where that is not known. */
  bucketRegion: (policy: Policy) => string | null;
  now: Clock;
  quoteMs: number;
};

export type Quoter = {
  quote: (tenantId: string, spec: JobSpec, id: string, measured?: Measured) => Promise<Quote>;
};

/** How long a provider's listing is good for quoting; creating the machine finds out the truth. */
const waresMs = 10_000;

/** Quotes with what is known now. Nothing is stored: see store.ts. */
export function createQuoter({
  sellers,
  catalogue,
  history,
  policy,
  share,
  queueWait,
  bucketRegion,
  ...constant
}: QuoterDeps): Quoter {
  const wares = createCache(async () => indexWares(await sellers(), await catalogue()), waresMs, constant.now);
  return {
    quote: async (tenantId, spec, id, measured) => {
      const [known, past, limits, outlook, wait] = await Promise.all([
        wares.get(''),
        history(tenantId, spec.name),
        policy(tenantId),
        share(tenantId),
        queueWait(tenantId, spec),
      ]);
      const now = constant.now();
      return computeQuote({
        ...constant,
        id,
        spec,
        now,
        wares: known,
        history: past,
        policy: limits,
        bucketRegion: bucketRegion(limits),
        share: outlook,
        queueWait: wait,
        measured,
      });
    },
  };
}
