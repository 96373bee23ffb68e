import { newId } from '../../src/core/ids.ts';
import { fromUsd } from '../../src/core/money.ts';
import type { Database, Prisma } from '../../src/db/database.ts';
import type { JobSpec } from '../../src/protocol/job-spec.ts';
import type { Quote } from '../../src/protocol/quote.ts';
import { insertQuote } from '../../src/quotes/store.ts';

export const now = new Date('2026-11-23T12:00:00Z');
export const spec: JobSpec = {
  name: 'digits',
  command: 'node train.js',
  workload: { examples: 60_000, epochs: 10, flopsPerExample: 3.05e5 },
};

export type Ran = {
  tenantId: string;
  quote: Quote;
  seconds: number;
  usd?: number;
  state?: 'succeeded' | 'failed';
  reason?: string;
  ran?: JobSpec;
  at?: Date;
  /** Of the attempts before the last, which were interrupted. */
  before?: number[];
};

/** A job as it stands when its last attempt has ended. */
export async function finish(
  db: Database,
  {
    tenantId,
    quote,
    seconds,
    usd = 0.001,
    state = 'succeeded',
    reason = 'completed',
    ran = spec,
    at = now,
    before = [],
  }: Ran,
): Promise<string> {
  const id = newId('job');
  const end = new Date(at.getTime() + seconds * 1000);
  const option = quote.options.find(({ offer }) => offer.provider === 'local') ?? quote.options[0];
  const common = { tenantId, state, createdAt: at, startedAt: at, finishedAt: end };
  await insertQuote(db.client, quote, tenantId, ran);
  await db.client.job.create({
    data: {
      id,
      ...common,
      reason,
      name: ran.name,
      spec: ran as Prisma.InputJsonObject,
      quoteId: quote.id,
      options: [],
      priority: 50,
      queuedAt: at,
      chargedMicroUsd: fromUsd(usd),
    },
  });
  for (const [index, each] of [...before, seconds].entries()) {
    const finishedAt = new Date(at.getTime() + each * 1000);
    await db.client.attempt.create({
      data: {
        id: newId('attempt'),
        jobId: id,
        ...common,
        finishedAt,
        number: index + 1,
        offer: option?.offer ?? {},
        limits: {},
        stoppingAt: finishedAt,
        leaseExpiresAt: finishedAt,
      },
    });
  }
  return id;
}
