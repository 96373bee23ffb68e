import { toUsd, fromUsd } from '../core/money.ts';
import { dayMs, hourMs, parseDuration } from '../core/time.ts';
import type { Attempt, Job, TaskCounts } from '../protocol/job.ts';
import type { JobSpec } from '../protocol/job-spec.ts';
import type { Offer, QuoteOption } from '../protocol/quote.ts';
import { forecast, type Running } from '../quotes/forecast.ts';
import type { Percentiles } from '../quotes/interval.ts';
import { toTrack, type Said } from '../quotes/progress.ts';
import { machineCosts } from '../shares/end-of-use.ts';
import { avoidedBy, type Tried } from './retry.ts';
import { isEnd } from './state.ts';
import { tasksOf } from '../quotes/array.ts';
import { arrayProgress } from './array-view.ts';
import type { ShownJob } from './shown-store.ts';
import type { NewJobRow } from './store.ts';
import { waitingForOthers } from './waiting-view.ts';

type ShownAttempt = ShownJob['attempts'][number];
type Static<K extends keyof Job> = NonNullable<Job[K]>;

/** The answer to a submission as JSON, made of what was just written: the quote is text already. */
export function newJobText(row: NewJobRow): string {
  return `${JSON.stringify(newJobView(row)).slice(0, -1)},"quote":${row.quote.text}}`;
}

function newJobView({ id, tenantId, spec, at }: NewJobRow): Omit<Job, 'quote'> {
  return {
    id,
    name: spec.name,
    tenant: tenantId,
    state: 'queued',
    reason: null,
    message: null,
    spec,
    cost: { reservedUsd: 0, accruedUsd: 0, finalUsd: null, ...(spec.array === undefined ? { residualUsd: 0 } : {}) },
    ...(spec.array === undefined ? {} : { tasks: newTaskCounts(tasksOf(spec)) }),
    attempts: [],
    waiting: { position: null, eta: { p50: null, p90: null }, blockers: [] },
    createdAt: at.toISOString(),
    startedAt: null,
    finishedAt: null,
  };
}

function newTaskCounts(total: number): TaskCounts {
  return { total, queued: total, provisioning: 0, running: 0, stopping: 0, succeeded: 0, failed: 0, cancelled: 0 };
}

/** A job as the API shows it, from its rows. */
export function jobView(row: ShownJob, now: Date): Job {
  const { tasks, arrayId, arrayIndex } = row;
  const attempts = row.attempts.map((attempt, index) => ({
    ...attemptView(attempt, now),
    avoided: avoidedBy(triedOf(attempt), row.attempts.slice(0, index).map(triedOf)),
  }));
  const { cost, accruedUsd } = costOf(row, attempts);
  return {
    id: row.id,
    name: row.name,
    tenant: row.tenantId,
    state: row.state,
    reason: row.reason,
    message: row.message,
    spec: row.spec as unknown as JobSpec,
    quote: row.quote,
    cost,
    ...(row.state === 'running' ? { progress: progressView(row, accruedUsd, now) } : {}),
    ...(tasks === null ? {} : { tasks: tasks.counts }),
    ...(arrayId === null || arrayIndex === null ? {} : { task: { array: arrayId, index: arrayIndex } }),
    attempts,
    ...(row.state === 'queued' ? { waiting: waitingView(row, now) } : {}),
    createdAt: row.createdAt.toISOString(),
    startedAt: row.startedAt?.toISOString() ?? null,
    finishedAt: row.finishedAt?.toISOString() ?? null,
  };
}

/** `accruedUsd`: also of a job that has ended, what all its attempts together have cost until now. */
function costOf(
  { tasks, state, chargedMicroUsd, reservedMicroUsd }: ShownJob,
  attempts: Pick<Attempt, 'costUsd' | 'residualUsd'>[],
): { cost: Job['cost']; accruedUsd: number } {
  const charged = toUsd(Number(chargedMicroUsd));
  const [accruedUsd, residual] =
    tasks === null
      ? [
          sumUsd(attempts.map(({ costUsd }) => costUsd)),
          { residualUsd: sumUsd(attempts.map((one) => one.residualUsd)) },
        ]
      : [toUsd(Number(chargedMicroUsd) + tasks.unchargedMicroUsd), {}];
  const cost = {
    reservedUsd: toUsd(tasks?.reservedMicroUsd ?? Number(reservedMicroUsd)),
    accruedUsd: isEnd(state) ? charged : accruedUsd,
    finalUsd: isEnd(state) ? charged : null,
    ...residual,
  };
  return { cost, accruedUsd };
}

function triedOf({ offer, reason, preemptedFor }: ShownAttempt): Tried {
  return { offer: offer as unknown as Offer, reason, preemptedFor };
}

function attemptView(attempt: ShownAttempt, now: Date): Omit<Attempt, 'avoided'> {
  const offer = attempt.offer as unknown as Offer;
  const { used, residual } = machineCosts({ ...attempt, offer }, now);
  return {
    number: attempt.number,
    state: attempt.state,
    offer,
    instance: attempt.instances[0]?.name ?? null,
    startedAt: attempt.startedAt?.toISOString() ?? null,
    finishedAt: attempt.finishedAt?.toISOString() ?? null,
    exitCode: attempt.exitCode,
    reason: attempt.reason,
    message: attempt.message,
    costUsd: toUsd(attempt.finishedAt === null ? used : Number(attempt.costMicroUsd)),
    residualUsd: toUsd(residual),
    lostSeconds: attempt.lostSeconds,
  };
}

/** In whole micro-dollars, as they were. */
function sumUsd(amounts: number[]): number {
  return toUsd(amounts.reduce((sum, usd) => sum + fromUsd(usd), 0));
}

const unknown = { p50: null, p90: null };

/** Its end, from its own speed and from its quote, and what it will then have cost. */
function progressView(row: ShownJob, accruedUsd: number, now: Date): Static<'progress'> {
  const { tasks, startedAt } = row;
  if (tasks !== null) return arrayProgress(tasks, { startedAt, now, costMicroUsd: fromUsd(accruedUsd) });
  const { done, total, unit } = (row.progress as Said | null) ?? { done: null, total: null, unit: null };
  const attempt = row.attempts.at(-1);
  const running = attempt && runningOf(row, attempt, now);
  const remaining = running && [running, { ...running, track: null }].map(remainingOf).find(isOnCalendar);
  if (attempt === undefined || remaining === undefined)
    return { done, total, unit, eta: unknown, expectedCostUsd: null };
  const { hourlyUsd } = attempt.offer as unknown as Offer;
  const after = (ms: number) => new Date(now.getTime() + ms).toISOString();
  const expectedCostUsd = toUsd(fromUsd(accruedUsd + (hourlyUsd * remaining.p50) / hourMs));
  return { done, total, unit, eta: { p50: after(remaining.p50), p90: after(remaining.p90) }, expectedCostUsd };
}

/** What a job says of its progress may amount to a time that no calendar has. */
const maxAheadMs = 100 * 365 * dayMs;

const remainingOf = (running: Running): Percentiles | undefined => forecast(running)?.remaining;
const isOnCalendar = (remaining: Percentiles | undefined): boolean =>
  remaining !== undefined && remaining.p90 <= maxAheadMs;

function runningOf(row: ShownJob, { number, startedAt, offer }: ShownAttempt, now: Date): Running {
  const offerId = (offer as unknown as Offer).id;
  const option = (row.options as unknown as QuoteOption[]).find((candidate) => candidate.offer.id === offerId);
  const { maxDuration } = row.spec as unknown as JobSpec;
  return {
    nowMs: now.getTime(),
    startedMs: startedAt?.getTime() ?? null,
    attempt: number,
    earlierMs: row.attempts.reduce((sum, earlier) => sum + ranMs(earlier), 0),
    quoted: option?.durationSeconds ?? null,
    track: toTrack(row.progress),
    maxMs: maxDuration === undefined ? Infinity : parseDuration(maxDuration),
  };
}

/** Of an attempt that has ended. */
function ranMs({ startedAt, finishedAt }: ShownAttempt): number {
  return startedAt === null || finishedAt === null ? 0 : finishedAt.getTime() - startedAt.getTime();
}

function waitingView(row: ShownJob, now: Date): Static<'waiting'> {
  const { upstream, tasks } = row;
  if (upstream.length > 0)
    return waitingForOthers(
      upstream.map(({ row: other, ...each }) => ({
        ...each,
        view: jobView({ ...other, upstream: [], tail: undefined }, now),
        durationSeconds: other.first?.durationSeconds,
      })),
    );
  // An array waits as the first of its tasks does.
  const waiting = tasks === null ? (row.waiting as Static<'waiting'> | null) : tasks.waiting;
  const { position, eta, blockers } = waiting ?? row.tail ?? { position: null, eta: unknown, blockers: [] };
  return { position, eta, blockers };
}
