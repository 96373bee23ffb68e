import { fromUsd } from '../core/money.ts';
import type { Sql } from '../db/database.ts';
import type { QuoteAccuracy } from '../protocol/quote.ts';
import type { Static } from 'typebox';
import { modelSeconds } from './predict.ts';
import { countQuotes, findFinishedJob, insertResidual, readAccuracy, type FinishedJob } from './store.ts';
import { resolveWork } from './work.ts';

/** No clock here measures less; a ratio to nothing would have no logarithm. */
const shortestSeconds = 0.001;

/** Writes down how the quote of a job that succeeded did. Repeatable: a job has one residual. */
export async function recordResidual(sql: Sql, jobId: string): Promise<void> {
  const job = await findFinishedJob(sql, jobId);
  const offer = job?.attempts.at(-1)?.offer;
  if (job === undefined || offer === undefined) return;
  const work = resolveWork(job.spec.workload);
  const modelled = modelSeconds(job.spec, work, {
    kind: offer.accelerators.kind,
    count: offer.accelerators.count * offer.nodes,
  });
  const option = job.quote.options.find((candidate) => candidate.offer.id === offer.id);
  if (modelled === undefined || option === undefined) return;
  const actualSeconds = Math.max(shortestSeconds, secondsOf(job));
  await insertResidual(sql, {
    jobId,
    tenantId: job.tenantId,
    jobName: job.name,
    basis: work.basis,
    kind: offer.accelerators.kind,
    logRatio: Math.log(actualSeconds / Math.max(shortestSeconds, modelled)),
    predictedSeconds: option.durationSeconds.p50,
    p10Seconds: option.durationSeconds.p10,
    p90Seconds: option.durationSeconds.p90,
    actualSeconds,
    predictedMicroUsd: fromUsd(option.costUsd.p50),
    actualMicroUsd: job.chargedMicroUsd,
    finishedAt: job.finishedAt,
  });
}

/** From the runner's start to its end, over all attempts: what an interruption cost is part of what was quoted. */
function secondsOf({ attempts }: FinishedJob): number {
  return attempts.reduce(
    (sum, { startedAt, stoppingAt }) => sum + (stoppingAt.getTime() - startedAt.getTime()) / 1000,
    0,
  );
}

/** How wrong the quotes were: of a tenant, or of all where `tenantId` is null. */
export async function accuracy(sql: Sql, tenantId: string | null): Promise<Static<typeof QuoteAccuracy>> {
  const [quotes, { finishedJobs, medianError, p90Error, bias, coverage }] = await Promise.all([
    countQuotes(sql, tenantId),
    readAccuracy(sql, tenantId),
  ]);
  return {
    quotes,
    finishedJobs,
    duration: {
      medianErrorPercent: percent(medianError),
      p90ErrorPercent: percent(p90Error),
      biasPercent: percent(bias),
      coveragePercent: percent(coverage),
    },
  };
}

function percent(share: number | null): number | null {
  return share === null ? null : Math.round(share * 10_000) / 100;
}
