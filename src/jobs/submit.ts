import { isDeepStrictEqual } from 'node:util';
import { invalid, WeirError, type Fault } from '../core/errors.ts';
import { fromUsd, formatUsd, toUsd, type MicroUsd } from '../core/money.ts';
import type { Clock } from '../core/time.ts';
import { createBatcher } from '../db/batch.ts';
import type { Database } from '../db/database.ts';
import type { Job, NewJob } from '../protocol/job.ts';
import type { JobSpec } from '../protocol/job-spec.ts';
import type { Quote, QuoteOption } from '../protocol/quote.ts';
import type { Policy } from '../protocol/tenant.ts';
import { countQueued, insertJobs, type NewJobRow } from './store.ts';
import { newJobView } from './view.ts';

export type SubmitDeps = {
  db: Database;
  now: Clock;
  quote: (tenantId: string, spec: JobSpec) => Promise<Quote>;
  requireLiveQuote: (tenantId: string, quoteId: string) => Promise<{ quote: Quote; spec: JobSpec }>;
  policy: (tenantId: string) => Promise<Policy>;
  /** Throws where the spec names a secret or an upload that the tenant does not have. */
  checkReferences: (tenantId: string, spec: JobSpec) => Promise<void>;
  /** Whether the provider can't keep this tenant's jobs apart from another's, whose machine it is already. */
  isBarred: (provider: string, tenantId: string) => Promise<boolean>;
  wakeDispatch: () => void;
};

export type Submit = (tenantId: string, body: NewJob, jobId: string) => Promise<Job>;

/** While one batch is being committed the next is written. */
const insertLanes = 2;

const maxFilesBytes = 1024 * 1024;

/**
 * Accepts a job: stores it `queued`, with its quote and its first event. Once this answers, the job can't be lost.
 * @throws WeirError `invalid` for a bad spec, `can-never-start` with the blockers, `too-many-queued`, `not-found` for the quote.
 */
export function createSubmit({ db, now, quote, requireLiveQuote, policy, checkReferences, isBarred, wakeDispatch }: SubmitDeps): Submit {
  const insert = createBatcher((rows: NewJobRow[]) => insertJobs(db, rows).then(() => rows), insertLanes);
  return async (tenantId, { quoteId, optionId, ...spec }, jobId) => {
    checkSpec(spec);
    await checkReferences(tenantId, spec);
    const [priced, limits] = await Promise.all([
      quoteId === undefined ? quote(tenantId, spec) : requireLiveQuote(tenantId, quoteId).then((live) => keepQuote(live, spec)),
      policy(tenantId),
    ]);
    const options = await admitted(chooseOptions(priced, optionId), tenantId, isBarred);
    checkPolicy(limits, spec, options);
    await checkQueued(db, tenantId, limits);

    const row: NewJobRow = { id: jobId, tenantId, spec, quote: priced, isNewQuote: quoteId === undefined, options, at: now() };
    await insert(row);
    wakeDispatch();
    return newJobView(row);
  };
}

/** What the schema can't say. All faults together. */
function checkSpec(spec: JobSpec): void {
  const faults: Fault[] = (['array', 'dependsOn', 'webhooks'] as const)
    .filter((field) => spec[field] !== undefined)
    .map((field) => ({ pointer: `/${field}`, detail: `weir does not carry out ${field} yet; leave it out.` }));
  const files = Object.entries(spec.files ?? {});
  const filesBytes = files.reduce((sum, [, text]) => sum + Buffer.byteLength(text), 0);
  if (filesBytes > maxFilesBytes) {
    faults.push({ pointer: '/files', detail: `The files are ${filesBytes} bytes together, over ${maxFilesBytes}; upload an archive (POST /v1/uploads) and name it as source.` });
  }
  if (JSON.stringify(spec).includes('\\u0000')) faults.push({ pointer: '', detail: 'A text in the spec holds a NUL character; remove it.' });
  if (faults.length > 0) throw new WeirError('invalid', 'The job spec has faults.', { faults });
}

function keepQuote({ quote, spec: quoted }: { quote: Quote; spec: JobSpec }, spec: JobSpec): Quote {
  const changed = Object.keys({ ...quoted, ...spec }).filter((key) => !isDeepStrictEqual(quoted[key as keyof JobSpec], spec[key as keyof JobSpec]));
  if (changed.length === 0) return quote;
  throw new WeirError('invalid', 'The quote is of another spec; ask for a new quote, or leave quoteId out.', {
    faults: changed.map((key) => ({ pointer: `/${key}`, detail: 'This differs from the quoted spec.' })),
  });
}

/** The options the job may run on: the one wished for, or all feasible ones, the recommended first. */
function chooseOptions(quote: Quote, optionId: string | undefined): QuoteOption[] {
  if (optionId !== undefined) {
    const option = quote.options.find(({ id }) => id === optionId);
    if (option === undefined) throw invalid('/optionId', `The quote ${quote.id} has no such option.`);
    if (!option.feasible) throw neverStarts(option.reasons);
    return [option];
  }
  const feasible = quote.options.filter((option) => option.feasible);
  if (feasible.length === 0) throw neverStarts([...new Set(quote.options.flatMap((option) => option.reasons))].slice(0, 5));
  return feasible.toSorted((a, b) => Number(b.id === quote.recommended) - Number(a.id === quote.recommended));
}

async function admitted(options: QuoteOption[], tenantId: string, isBarred: SubmitDeps['isBarred']): Promise<QuoteOption[]> {
  const barred = new Set<string>();
  for (const provider of new Set(options.map(({ offer }) => offer.provider))) if (await isBarred(provider, tenantId)) barred.add(provider);
  const left = options.filter(({ offer }) => !barred.has(offer.provider));
  if (left.length > 0) return left;
  throw neverStarts([...barred].map((provider) => `${provider} can't keep jobs of different tenants apart here, and serves the first tenant that used it only`));
}

function neverStarts(reasons: string[]): WeirError {
  const blockers = reasons.map((message) => ({ code: 'capacity', message, unblocks: 'Ask for less, or for what GET /v1/offers lists.' }));
  return new WeirError('can-never-start', `No offer can run this job: ${reasons.join('; ') || 'nothing is sold for it'}.`, { extra: { blockers } });
}

/** What a job takes of its budget when it starts: what its owner allows, else what it is quoted to cost at most. */
export function reservationFor(spec: JobSpec, option: QuoteOption): MicroUsd {
  return fromUsd(spec.maxCostUsd ?? option.costUsd.p90);
}

/** Refuses what the policy can never let start. What it may let start later is accepted and waits. */
function checkPolicy(policy: Policy, spec: JobSpec, options: QuoteOption[]): void {
  const blockers = [...capBlockers(policy, options), ...budgetBlockers(policy, spec, options)];
  if (policy.caps?.runningJobs === 0) blockers.push({ code: 'cap', message: 'The policy lets this tenant run no jobs.', unblocks: 'An operator raises caps.runningJobs.' });
  if (blockers.length === 0) return;
  throw new WeirError('can-never-start', blockers.map(({ message }) => message).join(' '), { extra: { blockers } });
}

function capBlockers(policy: Policy, options: QuoteOption[]) {
  const caps = policy.caps?.accelerators ?? {};
  const over = options.map(({ offer: { accelerators, nodes } }) => ({ ...accelerators, wanted: accelerators.count * nodes, cap: caps[accelerators.kind] ?? Infinity }));
  const fits = over.some(({ wanted, cap }) => wanted <= cap);
  if (fits) return [];
  const [first] = over;
  return first === undefined
    ? []
    : [{ code: 'cap', message: `The job wants ${first.wanted} ${first.kind} at once; the tenant's cap is ${first.cap}.`, unblocks: `Ask for at most ${first.cap}, or an operator raises caps.accelerators.` }];
}

function budgetBlockers({ budget }: Policy, spec: JobSpec, options: QuoteOption[]) {
  const least = Math.min(...options.map((option) => reservationFor(spec, option)));
  return (['monthlyUsd', 'totalUsd'] as const)
    .filter((name) => least > fromUsd(budget?.[name] ?? Infinity))
    .map((name) => ({
      code: 'budget',
      message: `The job reserves ${formatUsd(toUsd(least))}; budget.${name} is ${formatUsd(budget?.[name] ?? 0)}.`,
      unblocks: 'Set maxCostUsd below the budget, or an operator raises it.',
    }));
}

async function checkQueued(db: Database, tenantId: string, { caps }: Policy): Promise<void> {
  if (caps?.queuedJobs === undefined) return;
  const queued = await countQueued(db.client, tenantId);
  if (queued < caps.queuedJobs) return;
  throw new WeirError('too-many-queued', `This tenant has ${queued} jobs queued, and its cap is ${caps.queuedJobs}: wait for some to start, or cancel some.`);
}
