import { allChecked, invalid, WeirError } from '../core/errors.ts';
import { fromUsd, formatUsd, toUsd } from '../core/money.ts';
import { dayMs, formatDuration, type Clock } from '../core/time.ts';
import { createBatcher } from '../core/batch.ts';
import type { Database, Sql } from '../db/database.ts';
import type { Blocker } from '../protocol/common.ts';
import type { NewJob } from '../protocol/job.ts';
import type { JobSpec } from '../protocol/job-spec.ts';
import type { Quote, QuoteOption } from '../protocol/quote.ts';
import type { Policy } from '../protocol/tenant.ts';
import { bindingPolicy, type Lineage } from '../tenants/lineage.ts';
import { policyReasons, quotaReason } from '../quotes/reasons.ts';
import { asText } from '../quotes/store.ts';
import { ofOneTask, tasksOf } from '../quotes/array.ts';
import { requireDependencies } from './dependencies.ts';
import {
  accountBlockers,
  checkPolicy,
  checkPriority,
  reservationFor,
  withPriority,
  type Prospects,
} from './admission.ts';
import type { HeldQuote, HoldQuote } from './requote.ts';
import { findShownJob } from './shown-store.ts';
import { requireSound } from './spec-faults.ts';
import { insertAlone, insertJobs, type NewJobRow } from './store.ts';
import { jobView, newJobText } from './view.ts';

export type SubmitDeps = {
  db: Database;
  now: Clock;
  quote: (tenantId: string, spec: JobSpec) => Promise<Quote>;
  /** The quote that a submission names, anew where it has expired. */
  holdQuote: HoldQuote;
  /** The tenant's policy and those above it. */
  lineage: (tenantId: string) => Promise<Lineage>;
  /** Throws where the spec names a secret or an upload that the tenant does not have. */
  checkReferences: (tenantId: string, spec: JobSpec) => Promise<void>;
  /** Whether the provider can't keep this tenant's jobs apart from another's, whose machine it is already. */
  isBarred: (provider: string, tenantId: string) => Promise<boolean>;
  /** Whether such a provider's machine is nobody's yet. */
  isFree: (provider: string) => Promise<boolean>;
  /** Makes it this tenant's. False where another was first. */
  occupy: (tx: Sql, provider: string, tenantId: string) => Promise<boolean>;
  petaflopsPerAccelerator: (kind: string) => number;
  /** What may ever be, of the tenant whose lineage it is. */
  prospects: (lineage: Lineage) => Promise<Prospects>;
  wakeDispatch: () => void;
};

/** Answers the job as JSON. */
export type Submit = (tenantId: string, body: NewJob, jobId: string) => Promise<string>;

/** While one batch is being committed the next is written. */
const insertLanes = 2;

/**
 * Accepts a job: stores it `queued`, with its quote and its first event. Once this answers, the job can't be lost.
 * @throws WeirError `invalid` for a bad spec, `can-never-start` with the blockers, `too-many-queued`,
 * `not-found` for the quote, `dearer` where it expired and the job costs more now.
 */
export function createSubmit({
  db,
  now,
  quote,
  holdQuote,
  lineage: lineageOf,
  checkReferences,
  isBarred,
  isFree,
  occupy,
  petaflopsPerAccelerator,
  prospects,
  wakeDispatch,
}: SubmitDeps): Submit {
  const insert = createBatcher((rows: NewJobRow[]) => insertJobs(db, rows).then(() => rows), insertLanes);
  const insertWithin = async (row: NewJobRow, cap: number | undefined): Promise<NewJobRow> => {
    const { tenantId, options, spec } = row;
    const free = await Promise.all([...providersOf(options)].map(isFree));
    if (cap === undefined && spec.dependsOn === undefined && !free.includes(true)) return insert(row);
    // With the row itself: what is refused after all takes no machine, nor does what is cut short here.
    const take = (tx: Sql) => openTo(tenantId, options, async (provider) => !(await occupy(tx, provider, tenantId)));
    return insertAlone(db, row, { cap, take });
  };
  return async (tenantId, { quoteId, optionId, ...spec }, jobId) => {
    const [held, lineage] = await allChecked([
      quoteId === undefined
        ? quote(tenantId, spec).then((made): HeldQuote => ({ quote: made, optionId: undefined, isNew: true }))
        : holdQuote(tenantId, { quoteId, optionId, spec }),
      lineageOf(tenantId).then((found) => {
        checkPriority(bindingPolicy(found), spec);
        return found;
      }),
      requireQuoteOfOption(quoteId, optionId),
      requireSound(spec, now()),
      checkReferences(tenantId, spec),
      requireDependencies(db.client, tenantId, spec),
    ]);
    const limits = bindingPolicy(lineage);
    const outlook = await prospects(lineage);
    const within = { policy: limits, tooSmall: outlook.tooSmall };
    const options = await openTo(tenantId, countable(choicesOf(held, within, spec), spec), isBarred);
    checkPolicy({ lineage, spec, ...outlook, petaflopsPerAccelerator }, options);
    const ranked = withPriority(spec, limits);
    const asked: NewJobRow = {
      id: jobId,
      tenantId,
      spec: ranked,
      quote: asText(held.quote),
      isNewQuote: held.isNew,
      options,
      at: now(),
    };
    const row = await insertWithin(asked, limits.caps?.queuedJobs);
    wakeDispatch();
    return spec.dependsOn === undefined ? newJobText(row) : viewOf(db, row);
  };
}

async function requireQuoteOfOption(quoteId: string | undefined, optionId: string | undefined): Promise<void> {
  if (optionId !== undefined && quoteId === undefined)
    throw invalid('/optionId', 'An option is one of a quote: name the quote too, as quoteId.');
}

/** What it waits for is in other jobs' rows. */
async function viewOf(db: Database, { id, at }: NewJobRow): Promise<string> {
  const shown = await findShownJob(db.client, id, at);
  if (shown === undefined) throw new Error(`The job ${id} was stored and is not there.`);
  return JSON.stringify(jobView(shown, at));
}

type Within = { policy: Policy; tooSmall: Prospects['tooSmall'] };

/** As a task may run on them, where the quote is of all tasks. */
function choicesOf({ quote, optionId }: HeldQuote, within: Within, spec: JobSpec): QuoteOption[] {
  return chooseOptions(quote, optionId, within).map((option) => ofOneTask(option, tasksOf(spec)));
}

/** The options the job may run on: the one wished for, or all feasible ones, the recommended first. */
function chooseOptions(quote: Quote, optionId: string | undefined, within: Within): QuoteOption[] {
  const wished = optionId === undefined ? quote.options : quote.options.filter(({ id }) => id === optionId);
  if (optionId !== undefined && wished.length === 0)
    throw invalid('/optionId', `The quote ${quote.id} has no such option.`);
  const judged = wished.map((option) => ({ option, blockers: blockersOf(option, within) }));
  const open = judged.flatMap(({ option, blockers }) => (blockers.length === 0 ? [option] : []));
  if (open.length === 0) throw neverStarts(fewest(judged.map(({ blockers }) => blockers)));
  return open.toSorted((a, b) => Number(b.id === quote.recommended) - Number(a.id === quote.recommended));
}

/** The policy and the quotas as they are now, which may have been others when the quote was made, and what else the quote says. */
function blockersOf({ offer, reasons }: QuoteOption, { policy, tooSmall }: Within): Blocker[] {
  const barred = policyReasons(offer, policy);
  const passed = tooSmall(offer);
  const told = [...barred, ...passed.map((quota) => quotaReason(quota, offer.provider))];
  return [
    ...barred.map((message): Blocker => ({ code: 'cap', message, unblocks: policyUnblocks })),
    ...accountBlockers(passed, offer),
    ...reasons.filter((reason) => !told.includes(reason)).map((message) => capacityBlocker(message)),
  ];
}

const maxBlockers = 5;

/** Of the options that the least is in the way of, what is in their way. */
function fewest(blockers: Blocker[][]): Blocker[] {
  if (blockers.length === 0) return [capacityBlocker('Nothing is sold that fits the spec.')];
  const least = Math.min(...blockers.map(({ length }) => length));
  const nearest = blockers.filter(({ length }) => length === least).flat();
  return [...new Map(nearest.map((blocker) => [blocker.message, blocker])).values()].slice(0, maxBlockers);
}

/** What the ledger counts exactly, and what calendars reach: one job beyond them would stop the dispatch of all. */
const maxReservation = fromUsd(1e9);
const maxSeconds = (100 * 365 * dayMs) / 1000;

function countable(options: QuoteOption[], spec: JobSpec): QuoteOption[] {
  const left = options.filter(
    (option) => reservationFor(spec, option) <= maxReservation && option.durationSeconds.p90 <= maxSeconds,
  );
  if (left.length > 0) return left;
  const [best] = options;
  const size =
    best === undefined
      ? ''
      : ` may take ${formatDuration(best.durationSeconds.p90)} and cost ${formatUsd(best.costUsd.p90)},`;
  throw neverStarts([
    capacityBlocker(
      `The job${size} beyond the hundred years and ${formatUsd(toUsd(maxReservation))} that weir carries out`,
      'Correct the workload, choose faster accelerators, or set maxDuration.',
    ),
  ]);
}

/** The options on machines that can keep this tenant's jobs apart from others', or serve it alone. */
async function openTo(
  tenantId: string,
  options: QuoteOption[],
  isBarred: SubmitDeps['isBarred'],
): Promise<QuoteOption[]> {
  const barred = new Set<string>();
  for (const provider of providersOf(options)) if (await isBarred(provider, tenantId)) barred.add(provider);
  const left = options.filter(({ offer }) => !barred.has(offer.provider));
  if (left.length > 0) return left;
  throw neverStarts(
    [...barred].map((provider) =>
      capacityBlocker(
        `${provider} can't keep jobs of different tenants apart here, and serves the first tenant that used it only`,
      ),
    ),
  );
}

function providersOf(options: QuoteOption[]): Set<string> {
  return new Set(options.map(({ offer }) => offer.provider));
}

const policyUnblocks =
  'Ask for other providers or regions, or an operator adds this one to `providers` or `regions` of the tenant’s policy.';

function capacityBlocker(message: string, unblocks = 'Ask for less, or for what GET /v1/offers lists.'): Blocker {
  return { code: 'capacity', message, unblocks };
}

function neverStarts(blockers: Blocker[]): WeirError {
  const sentences = blockers.map(({ message }) => message.replace(/\.?$/, '.'));
  return new WeirError('can-never-start', ['No offer can run this job.', ...sentences].join(' '), {
    extra: { blockers, smallestChange: [...new Set(blockers.map(({ unblocks }) => unblocks))].join(' ') },
  });
}
