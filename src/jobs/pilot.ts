import { invalid, mayPass, WeirError } from '../core/errors.ts';
import { partId } from '../core/ids.ts';
import type { Clock } from '../core/time.ts';
import type { Database } from '../db/database.ts';
import type { JobSpec } from '../protocol/job-spec.ts';
import type { Measured, Pilot, Quote } from '../protocol/quote.ts';
import { measuredBy, pilotOption, pilotSpec } from '../quotes/pilot.ts';
import { endPilot, findOpenPilots, insertPilot, listOpenPilots, type PilotRow } from '../quotes/pilot-store.ts';
import { toTrack } from '../quotes/progress.ts';
import { insertQuote, requireQuote } from '../quotes/store.ts';
import { findPilotJob } from './pilot-store.ts';
import { isEnd } from './state.ts';
import type { Submit } from './submit.ts';

export type PilotDeps = {
  db: Database;
  now: Clock;
  /** A pilot runs no longer. */
  pilotMs: number;
  submit: Submit;
  quote: (tenantId: string, spec: JobSpec, quoteId: string, measured: Measured) => Promise<Quote>;
  onError: (error: unknown) => void;
};

export type Pilots = {
  /** Stores the quote of what is `requirePilotable` and starts its pilot: a job of the tenant's like any other. */
  start: (tenantId: string, spec: JobSpec, quote: Quote) => Promise<void>;
  /** Quotes anew from what the pilot has measured, once. Nothing happens where it has not ended, or the job is no pilot. */
  finish: (jobIds: string[]) => Promise<void>;
  /** Finds again what a crash left undone between a quote, its pilot, and its pilot's end. */
  sweep: () => Promise<void>;
};

/** A pilot is looked at by the sweep from then on. */
const sweptAfterMs = 5_000;
const sweptAtOnce = 100;

export function createPilots(deps: PilotDeps): Pilots {
  const { db, now } = deps;
  return {
    start: async (tenantId, spec, quote) => {
      const jobId = partId('job', quote.id, 0);
      const isPossible = pilotOption(quote) !== undefined;
      const message = isPossible ? 'The pilot is on its way.' : 'Nothing that can be bought here runs the job.';
      const pilot: Pilot = isPossible
        ? { state: 'running', job: jobId, message, measured: null }
        : { state: 'failed', job: null, message, measured: null };
      await db.transaction(async (tx) => {
        await insertQuote(tx, { ...quote, pilot }, tenantId, spec);
        if (isPossible) await insertPilot(tx, { quoteId: quote.id, tenantId, jobId, since: now() });
      });
      if (isPossible) await submitPilot({ quoteId: quote.id, tenantId, jobId }, deps);
    },
    finish: async (jobIds) => {
      await finishEach(await findOpenPilots(db.client, jobIds), deps);
    },
    sweep: async () => {
      const before = new Date(now().getTime() - sweptAfterMs);
      await finishEach(await listOpenPilots(db.client, before, sweptAtOnce), deps);
    },
  };
}

/** @throws WeirError `invalid` */
export async function requirePilotable(spec: JobSpec): Promise<void> {
  if (spec.array !== undefined)
    throw invalid(
      '/pilot',
      'A pilot measures one run: leave array out, and multiply by its tasks; or leave pilot out.',
    );
}

type Named = Pick<PilotRow, 'quoteId' | 'tenantId' | 'jobId'>;

/** Submitting twice is submitting once. A pilot that its tenant may not run has failed. */
async function submitPilot(
  { quoteId, tenantId, jobId }: Named,
  { db, now, submit, pilotMs }: PilotDeps,
): Promise<void> {
  const { quote, spec } = await requireQuote(db.client, tenantId, quoteId);
  const option = pilotOption(quote);
  if (option === undefined) return;
  try {
    await submit(tenantId, pilotSpec(spec, quoteId, option, pilotMs), jobId);
  } catch (error) {
    if (!(error instanceof WeirError)) throw error;
    const pilot: Pilot = {
      state: 'failed',
      job: null,
      message: `There was no pilot. ${error.message}`,
      measured: null,
    };
    await db.transaction((tx) => endPilot(tx, { ...quote, pilot }, now()));
  }
}

/** One that can't be helped must not keep the others from it, and is not asked about again where it never can. */
async function finishEach(pilots: Named[], deps: PilotDeps): Promise<void> {
  for (const pilot of pilots)
    await finishPilot(pilot, deps)
      .catch((error: unknown) => giveUp(error, pilot, deps))
      .catch(deps.onError);
}

async function giveUp(error: unknown, { quoteId, tenantId, jobId }: Named, { db, now }: PilotDeps): Promise<void> {
  if (!(error instanceof WeirError) || mayPass(error)) throw error;
  const { quote } = await requireQuote(db.client, tenantId, quoteId);
  const message = `Nothing was quoted anew. ${error.message}`;
  const pilot: Pilot = { state: 'failed', job: jobId, message, measured: null };
  await db.transaction((tx) => endPilot(tx, { ...quote, pilot }, now()));
}

async function finishPilot(pilot: Named, deps: PilotDeps): Promise<void> {
  const { db, now } = deps;
  const { quoteId, tenantId, jobId } = pilot;
  const job = await findPilotJob(db.client, jobId);
  if (job === undefined) return submitPilot(pilot, deps);
  if (!isEnd(job.state)) return;
  const { quote, spec } = await requireQuote(db.client, tenantId, quoteId);
  const option = job.option ?? pilotOption(quote);
  if (option === undefined) return;
  const { measured, message } = measuredBy({ ...job, track: toTrack(job.progress), option });
  const told: Pilot = { state: measured === null ? 'failed' : 'done', job: jobId, message, measured };
  // What was quoted stays where nothing was measured.
  const anew = measured === null ? quote : await deps.quote(tenantId, spec, quoteId, measured);
  const answer = { ...anew, createdAt: quote.createdAt, pilot: told };
  await db.transaction((tx) => endPilot(tx, answer, now()));
}
