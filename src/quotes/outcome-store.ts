import { toUsd } from '../core/money.ts';
import type { Sql } from '../db/database.ts';
import type { QuoteOutcome } from '../protocol/quote.ts';

export type OutcomeFilter = { tenantId: string | null; after: string | undefined; take: number };

/** What finished jobs were quoted and what came, the newest jobs first. Those that were stopped tell nothing. */
export async function listOutcomes(sql: Sql, { tenantId, after, take }: OutcomeFilter): Promise<QuoteOutcome[]> {
  const rows = await sql.quoteResidual.findMany({
    where: {
      wasStopped: false,
      ...(tenantId === null ? {} : { tenantId }),
      ...(after === undefined ? {} : { jobId: { lt: after } }),
    },
    orderBy: { jobId: 'desc' },
    take,
  });
  const usd = (amount: bigint | null) => (amount === null ? null : toUsd(Number(amount)));
  return rows.map((row) => ({
    job: row.jobId,
    name: row.jobName,
    tenant: row.tenantId,
    accelerator: row.kind,
    basis: row.quotedBasis ?? row.basis,
    durationSeconds: {
      predicted: row.predictedSeconds,
      p10: row.p10Seconds,
      p90: row.p90Seconds,
      actual: row.actualSeconds,
    },
    costUsd: {
      predicted: toUsd(Number(row.predictedMicroUsd)),
      p10: usd(row.p10MicroUsd),
      p90: usd(row.p90MicroUsd),
      actual: toUsd(Number(row.actualMicroUsd)),
    },
    finishedAt: row.finishedAt.toISOString(),
  }));
}
