import { toUsd, priceFor, fromUsd } from '../core/money.ts';
import { dayMs, hourMs, parseDuration } from '../core/time.ts';
import type { Attempt, Job, TaskCounts } from '../protocol/job.ts';
import type { JobSpec } from '../protocol/job-spec.ts';
import type { Offer, QuoteOption } from '../protocol/quote.ts';
import { forecast, type Running } from '../quotes/forecast.ts';
import type { Percentiles } from '../quotes/interval.ts';
import { toTrack, type Said } from '../quotes/progress.ts';
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
    cost: { reservedUsd: 0, accruedUsd: 0, finalUsd: null },
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
  const accruedUsd =
    tasks === null
      ? attempts.reduce((sum, { costUsd }) => sum + costUsd, 0)
      : toUsd(Number(row.chargedMicroUsd) + tasks.unchargedMicroUsd);
  const charged = toUsd(Number(row.chargedMicroUsd));
  return {
    id: row.id,
    name: row.name,
    tenant: row.tenantId,
    state: row.state,
    reason: row.reason,
    message: row.message,
    spec: row.spec as unknown as JobSpec,
    quote: row.quote,
    cost: {
      reservedUsd: toUsd(tasks?.reservedMicroUsd ?? Number(row.reservedMicroUsd)),
      accruedUsd: isEnd(row.state) ? charged : toUsd(fromUsd(accruedUsd)),
      finalUsd: isEnd(row.state) ? charged : null,
    },
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

function triedOf({ offer, reason, preemptedFor }: ShownAttempt): Tried {
  return { offer: offer as unknown as Offer, reason, preemptedFor };
}

function attemptView(attempt: ShownAttempt, now: Date): Omit<Attempt, 'avoided'> {
  const offer = attempt.offer as unknown as Offer;
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
    costUsd: toUsd(attempt.finishedAt === null ? accrued(attempt, offer, now) : Number(attempt.costMicroUsd)),
    lostSeconds: attempt.lostSeconds,
  };
}

/** What the machines of an unfinished attempt have cost until now, in micro-dollars. */
function accrued(attempt: ShownAttempt, offer: Offer, now: Date): number {
  const hourlyPerNode = fromUsd(offer.hourlyUsd) / offer.nodes;
  return attempt.instances.reduce((sum, { createdAt, goneAt }) => {
    return createdAt === null ? sum : sum + priceFor(hourlyPerNode, (goneAt ?? now).getTime() - createdAt.getTime());
  }, 0);
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
      })),
    );
  // An array waits as the first of its tasks does.
  const waiting = tasks === null ? (row.waiting as Static<'waiting'> | null) : tasks.waiting;
  const { position, eta, blockers } = waiting ?? row.tail ?? { position: null, eta: unknown, blockers: [] };
  return { position, eta, blockers };
}
