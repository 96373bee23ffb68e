import { createBatcher } from '../core/batch.ts';
import { WeirError } from '../core/errors.ts';
import { fromUsd } from '../core/money.ts';
import type { Clock } from '../core/time.ts';
import type { Database, Sql } from '../db/database.ts';
import { ofOneTask } from './array.ts';
import type { Offer, QuoteOption } from '../protocol/quote.ts';
import { modelFingerprint } from './fingerprint.ts';
import { pilotsAmong } from './pilot-store.ts';
import { overheadOf, volumesOf } from './overhead.ts';
import { modelSeconds } from './predict.ts';
import {
  findFinishedJobs,
  insertDueOfOtherModels,
  insertResiduals,
  listDue,
  takeDue,
  type FinishedJob,
  type NewResidual,
} from './residual-store.ts';
import { gangOf } from './speed.ts';
import { interruptionsOf } from './terms.ts';
import { resolveWork, type Work } from './work.ts';

/** No clock here measures less; a ratio to nothing would have no logarithm. */
const shortestSeconds = 0.001;

/**
 * Compares a job that has ended with its quote; from then on its figures count in quotes. Those that end at the same time share
 * the transactions. Repeatable, and at the same time by several workers: a job has one residual.
 */
export function createCalibrate({ db, finishPilots, coreRates }: CalibrateDeps): (jobId: string) => Promise<unknown> {
  return createBatcher(async (jobIds: string[]) => {
    // Their quotes are made anew from what they measured. Of a pilot itself nothing is learned: it was stopped.
    await finishPilots(jobIds);
    const rates = await coreRates();
    await db.transaction(async (tx) => {
      const due = await takeDue(tx, jobIds);
      const pilots = await pilotsAmong(tx, due);
      const others = due.filter((id) => !pilots.has(id));
      await recordResiduals(tx, others, rates);
    });
    return jobIds;
  });
}

type CalibrateDeps = {
  db: Database;
  /** Of these jobs those that are pilots. */
  finishPilots: (jobIds: string[]) => Promise<void>;
  coreRates: () => Promise<CoreRates>;
};

/** GFLOP/s of a core by provider. */
type CoreRates = ReadonlyMap<string, number>;

/** A message that has not come through after so long is sent again, so many at a time. */
const wakeAgainMs = 5_000;
const wokenAtOnce = 1_000;

/** Finds again the jobs whose wake-up was lost. */
export function createCalibrateSweep({ db, now, wakeCalibrate }: CalibrateSweepDeps): () => Promise<void> {
  return async () => {
    const before = new Date(now().getTime() - wakeAgainMs);
    for (const jobId of await listDue(db.client, before, wokenAtOnce)) await wakeCalibrate(jobId);
  };
}

type CalibrateSweepDeps = { db: Database; now: Clock; wakeCalibrate: (jobId: string) => Promise<void> };

/**
 * Writes down how the quote of each job did: of one that succeeded, or what one took at least that was stopped at its maxDuration. An offer of before cores were measured says nothing of its own: it was
 * of the same machines as today, and takes the rate that quotes of them will have.
 */
export async function recordResiduals(sql: Sql, jobIds: string[], coreRates: CoreRates = new Map()): Promise<void> {
  const jobs = await findFinishedJobs(sql, jobIds);
  await insertResiduals(
    sql,
    jobs.flatMap((job) => residualOf(job, coreRates) ?? []),
  );
}

function residualOf(job: FinishedJob, coreRates: CoreRates): NewResidual | undefined {
  const offer = job.attempts.at(-1)?.offer;
  if (offer === undefined) return undefined;
  const work = workOf(job);
  const gang = gangOf({ gigaflopsPerCore: coreRates.get(offer.provider), ...offer });
  const modelled = work && modelSeconds(job.spec, work, gang);
  const option = job.quote.options.find((candidate) => candidate.offer.id === offer.id);
  if (work === undefined || modelled === undefined || modelled <= 0 || option === undefined) return undefined;
  const { wasStopped } = job;
  const actualSeconds = Math.max(shortestSeconds, secondsOf(wasStopped ? job.attempts.slice(-1) : job.attempts));
  const { durationSeconds, costUsd } = ofOneTask(option, job.tasks);
  return {
    jobId: job.jobId,
    tenantId: job.tenantId,
    jobName: job.name,
    basis: work.basis,
    quotedBasis: job.quote.workload.basis,
    kind: gang.kind,
    workKind: work.kind,
    logRatio: Math.log(Math.max(shortestSeconds, doneSeconds(job, work, offer)) / checkpointingOf(option) / modelled),
    model: modelFingerprint(),
    predictedSeconds: durationSeconds.p50,
    p10Seconds: durationSeconds.p10,
    p90Seconds: durationSeconds.p90,
    actualSeconds,
    acceleratorSeconds: actualSeconds * gang.count,
    predictedMicroUsd: fromUsd(costUsd.p50),
    p10MicroUsd: fromUsd(costUsd.p10),
    p90MicroUsd: fromUsd(costUsd.p90),
    actualMicroUsd: job.chargedMicroUsd,
    parameters: work.parameters,
    flops: work.flops,
    wasStopped,
    finishedAt: job.finishedAt,
  };
}

/** By how much checkpoints lengthen the work where it ran. The next quote adds them again, so they are no error of the model. */
function checkpointingOf({ phases }: QuoteOption): number {
  const work = phases.setupSeconds + phases.transferSeconds + phases.trainingSeconds;
  return work > 0 ? 1 + phases.checkpointSeconds / work : 1;
}

/**
 * Without what its interruptions, if any, cost, which the next quote adds too. What writes no checkpoints, or was stopped, was
 * done by its last attempt alone; else each attempt before lost its start and, in the middle, half of what lies between two checkpoints.
 */
function doneSeconds({ spec, attempts, wasStopped }: FinishedJob, work: Work, offer: Offer): number {
  if (wasStopped || spec.checkpoints === undefined) return secondsOf(attempts.slice(-1));
  const { market, nodes, accelerators } = offer;
  const { kind } = accelerators;
  const around = { volumes: volumesOf(spec, work), overhead: overheadOf(spec, work, kind) };
  const machines = { market, nodes, kind, startSeconds: { p50: 0, p90: 0 } };
  const { restartSeconds, everySeconds } = interruptionsOf(machines, spec, around);
  const lost = restartSeconds + (everySeconds ?? 0) / 2;
  const kept = attempts.slice(0, -1).map((attempt) => Math.max(0, secondsOf([attempt]) - lost));
  return kept.reduce((sum, each) => sum + each, secondsOf(attempts.slice(-1)));
}

/** At the start: the model may be another than the one that the residuals were taken against. */
export async function recalibrate({ db, now }: { db: Database; now: Clock }): Promise<void> {
  await insertDueOfOtherModels(db.client, modelFingerprint(), now());
}

/** Undefined where this version of weir does not understand the spec any more: nothing can be compared then. */
function workOf({ spec }: FinishedJob): Work | undefined {
  try {
    return resolveWork(spec.workload);
  } catch (error) {
    if (error instanceof WeirError) return undefined;
    throw error;
  }
}

/**
 * From the runner's start until its machine was gone, as the job shows it and pays for it. Of a job that is over all attempts, since
 * what an interruption cost is part of what was quoted; what was stopped had done no more than its last, if it began anew with it.
 */
function secondsOf(attempts: FinishedJob['attempts']): number {
  return attempts.reduce(
    (sum, { startedAt, finishedAt }) => sum + (finishedAt.getTime() - startedAt.getTime()) / 1000,
    0,
  );
}
