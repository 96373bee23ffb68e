import { newId } from '../core/ids.ts';
import type { Clock } from '../core/time.ts';
import type { JobSpec } from '../protocol/job-spec.ts';
import type { Quote, QuoteOption } from '../protocol/quote.ts';
import type { Policy } from '../protocol/tenant.ts';
import { cached } from './cached.ts';
import { catalogueDate, computePetaflopsPerAccelerator } from './catalogue.ts';
import { spreadOf, type Evidence, type Spread } from './interval.ts';
import { listOptions } from './options.ts';
import { inOrder, recommend } from './recommend.ts';
import { indexWares, type Seller, type Wares } from './sellers.ts';
import { wantedOf } from './wanted.ts';
import { requireConsistent } from './work-faults.ts';
import { mostTellingField, resolveWork, type Basis, type Work } from './work.ts';

/** Finished jobs described in the same way, on the same kind of accelerator. */
export type History = (basis: Basis, kind: string) => Evidence;

/** The tenant's share of compute: now, and after so many PFLOP/s-days more. */
export type ShareOutlook = { window: string; before: number; after: (petaflopDays: number) => number; cap: number | null };

export type QuoteInput = {
  id: string;
  spec: JobSpec;
  now: Date;
  quoteMs: number;
  wares: Wares;
  history: History;
  policy: Pick<Policy, 'providers' | 'regions'>;
  share: ShareOutlook;
};

/**
 * The quote, as a pure function of what is known.
 * @throws WeirError `invalid` for a workload that contradicts itself or an accelerator that does not exist.
 */
export function computeQuote({ id, spec, now, quoteMs, wares, history, policy, share }: QuoteInput): Quote {
  if (spec.workload !== undefined) requireConsistent(spec.workload);
  const wanted = wantedOf(spec.resources);
  const work = resolveWork(spec.workload);
  const spread = spreadOf(work, wanted.kind, history(work.basis, wanted.kind));
  const options = listOptions({ spec, work, wanted, wares, spread, policy, newId: () => newId('option') });
  const goal = { ...spec, providers: wanted.providers };
  const ordered = inOrder(options, goal);
  const { recommended, notes } = recommend(ordered, goal, now);
  return {
    id,
    createdAt: now.toISOString(),
    expiresAt: new Date(now.getTime() + quoteMs).toISOString(),
    workload: { ...basisOf(work, spread), assumptions: [...assumptionsOf(spec, work, spread, ordered), ...notes] },
    options: ordered,
    recommended,
    shareImpact: {
      window: share.window,
      before: share.before,
      after: share.after(petaflopDaysOf(ordered.find((option) => option.id === recommended))),
      cap: share.cap,
    },
    calibration: {
      runs: spread.calibration?.runs ?? 0,
      medianErrorPercent: spread.calibration?.medianErrorPercent ?? null,
      coveragePercent: spread.calibration?.coveragePercent ?? null,
    },
  };
}

/** Where nothing was said of the work, earlier runs of the name are what the quote rests on. */
function basisOf({ basis, flops }: Work, { isOfSameName }: Spread): { basis: Basis; flops: number | null } {
  return { basis: basis === 'default' && isOfSameName ? 'history' : basis, flops };
}

function assumptionsOf({ name, maxDuration }: JobSpec, work: Work, { calibration, isOfSameName }: Spread, options: readonly QuoteOption[]): string[] {
  const isHistory = work.basis === 'default' && isOfSameName;
  const assumptions = isHistory ? [`The job takes as long as the last ${calibration?.runs} finished of the name ${name}.`] : [...work.assumptions];
  if (!isHistory && calibration !== undefined) assumptions.push(`Corrected by ${calibration.runs} finished jobs${isOfSameName ? ` of the name ${name}` : ' described alike'}.`);
  if (work.basis === 'flops' && work.kind === 'other') assumptions.push('workload.kind is not stated, so the speed is that of small models; a language model reaches about three times as much.');
  if (work.flops !== null && work.precision === null) assumptions.push('precision is not stated: bf16 is assumed, or fp16 where there is no bf16; fp32 on cores.');
  if (maxDuration !== undefined) assumptions.push(`No attempt takes longer than maxDuration, ${maxDuration}.`);
  if (options.some(({ offer }) => offer.provider !== 'local')) assumptions.push(`Buckets are taken to be in the machine's region. Catalogue prices are of ${catalogueDate} or of the date beside them.`);
  const telling = calibration === undefined ? mostTellingField(work) : undefined;
  return telling === undefined ? assumptions : [...assumptions, telling];
}

function petaflopDaysOf(option: QuoteOption | undefined): number {
  if (option === undefined) return 0;
  const { accelerators, nodes } = option.offer;
  return (computePetaflopsPerAccelerator(accelerators.kind) * accelerators.count * nodes * option.durationSeconds.p50) / 86_400;
}

export type QuoterDeps = {
  /** The configured providers' wares. */
  sellers: () => Promise<Seller[]>;
  history: (tenantId: string, name: string) => Promise<History>;
  policy: (tenantId: string) => Promise<Policy>;
  share: (tenantId: string) => Promise<ShareOutlook>;
  now: Clock;
  quoteMs: number;
};

export type Quoter = { quote: (tenantId: string, spec: JobSpec, id: string) => Promise<Quote> };

/** How long a provider's listing is good for quoting; creating the machine finds out the truth. */
const waresMs = 10_000;

/** Quotes with what is known now. Nothing is stored: see store.ts. */
export function createQuoter({ sellers, history, policy, share, now, quoteMs }: QuoterDeps): Quoter {
  const wares = cached(async () => indexWares(await sellers()), waresMs, now);
  return {
    quote: async (tenantId, spec, id) => {
      const [known, past, limits, outlook] = await Promise.all([wares(), history(tenantId, spec.name), policy(tenantId), share(tenantId)]);
      return computeQuote({ id, spec, now: now(), quoteMs, wares: known, history: past, policy: limits, share: outlook });
    },
  };
}
