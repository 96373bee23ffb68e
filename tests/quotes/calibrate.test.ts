import { expect } from 'vitest';
import { newId } from '../../src/core/ids.ts';
import type { Database, Prisma } from '../../src/db/database.ts';
import type { JobSpec } from '../../src/protocol/job-spec.ts';
import type { Quote } from '../../src/protocol/quote.ts';
import { accuracy, recordResidual } from '../../src/quotes/calibrate.ts';
import { createHistory } from '../../src/quotes/history.ts';
import { createQuoter } from '../../src/quotes/quote.ts';
import { insertQuote, requireLiveQuote, requireQuote } from '../../src/quotes/store.ts';
import { test } from '../support/database.ts';
import { localMachine, quoteOf } from './sample.ts';

const now = new Date('2026-11-23T12:00:00Z');
const spec: JobSpec = {
  name: 'digits',
  command: 'node train.js',
  workload: { examples: 60_000, epochs: 10, flopsPerExample: 3.05e5 },
};

type Ran = { tenantId: string; quote: Quote; seconds: number; state?: 'succeeded' | 'failed' };

/** A job as it stands when its last attempt has ended. */
async function finish(db: Database, { tenantId, quote, seconds, state = 'succeeded' }: Ran): Promise<string> {
  const id = newId('job');
  const end = new Date(now.getTime() + seconds * 1000);
  const [option] = quote.options;
  const common = { tenantId, state, createdAt: now, startedAt: now, finishedAt: end };
  await insertQuote(db.client, quote, tenantId, spec);
  await db.client.job.create({
    data: {
      id,
      ...common,
      name: spec.name,
      spec: spec as Prisma.InputJsonObject,
      quoteId: quote.id,
      options: [],
      priority: 50,
      queuedAt: now,
      chargedMicroUsd: 1000,
    },
  });
  await db.client.attempt.create({
    data: {
      id: newId('attempt'),
      jobId: id,
      ...common,
      number: 1,
      offer: option?.offer ?? {},
      limits: {},
      stoppingAt: end,
      leaseExpiresAt: end,
    },
  });
  return id;
}

test('a job that succeeded leaves one residual, however often it is asked for; one that failed leaves none', async ({
  db,
}) => {
  const tenantId = newId('tenant');
  const quote = quoteOf(spec);
  const predicted = quote.options[0]?.durationSeconds.p50 ?? 0;
  const succeeded = await finish(db, { tenantId, quote, seconds: predicted * 2 });
  const failed = await finish(db, { tenantId, quote: quoteOf(spec), seconds: 1, state: 'failed' });
  for (const id of [succeeded, succeeded, failed]) await recordResidual(db.client, id);

  const rows = await db.client.quoteResidual.findMany();
  expect(rows).toHaveLength(1);
  expect(rows[0]).toMatchObject({ jobId: succeeded, basis: 'examples', kind: 'cpu', actualMicroUsd: 1000n });
  expect(rows[0]?.logRatio).toBeCloseTo(Math.log(2), 3);
});

test('the accuracy of a tenant counts its own, the operator’s all', async ({ db }) => {
  const [one, other] = [newId('tenant'), newId('tenant')];
  const predicted = quoteOf(spec).options[0]?.durationSeconds.p50 ?? 0;
  for (const [tenantId, factor] of [
    [one, 2],
    [one, 1],
    [other, 0.01],
  ] as const) {
    await recordResidual(db.client, await finish(db, { tenantId, quote: quoteOf(spec), seconds: predicted * factor }));
  }
  expect(await accuracy(db.client, one)).toEqual({
    quotes: 2,
    finishedJobs: 2,
    duration: {
      medianErrorPercent: expect.closeTo(25, 0),
      p90ErrorPercent: expect.closeTo(45, 0),
      biasPercent: expect.closeTo(-25, 0),
      coveragePercent: 100,
    },
  });
  const all = await accuracy(db.client, null);
  expect(all).toMatchObject({ quotes: 3, finishedJobs: 3 });
  expect(all.duration.coveragePercent).toBeCloseTo(66.67, 1);
  expect(await accuracy(db.client, newId('tenant'))).toMatchObject({
    quotes: 0,
    finishedJobs: 0,
    duration: { medianErrorPercent: null },
  });
});

test('after five runs of one name its quote is within 5 %, and more than three times narrower', async ({ db }) => {
  const tenantId = newId('tenant');
  // Each look at the clock is a second later: what was read for the quote before is not read again within one.
  let at = now.getTime();
  const clock = () => new Date((at += 1_000));
  const { quote } = createQuoter({
    sellers: () => Promise.resolve([{ provider: 'local', sellables: [localMachine] }]),
    history: createHistory(db, clock),
    policy: () => Promise.resolve({}),
    share: () => Promise.resolve({ window: '30d', before: 0, after: () => 0, cap: null }),
    petaflopsPerAccelerator: () => 1,
    now: () => now,
    quoteMs: 1000,
  });
  const first = await quote(tenantId, spec, newId('quote'));
  for (const seconds of [400, 404, 396, 402, 398]) {
    await recordResidual(
      db.client,
      await finish(db, { tenantId, quote: await quote(tenantId, spec, newId('quote')), seconds }),
    );
  }
  const after = await quote(tenantId, spec, newId('quote'));
  const width = ({ options }: Quote): number =>
    (options[0]?.durationSeconds.p90 ?? 0) / (options[0]?.durationSeconds.p10 ?? 1);
  expect(Math.abs((after.options[0]?.durationSeconds.p50 ?? 0) / 400 - 1)).toBeLessThan(0.05);
  expect(width(after)).toBeLessThan(width(first) / 3);
  expect(after.calibration.runs).toBe(5);

  const stranger = await quote(newId('tenant'), spec, newId('quote'));
  expect(stranger.calibration.runs).toBe(0);
});

test('a quote is read by its own tenant only, and is live until it expires', async ({ db }) => {
  const tenantId = newId('tenant');
  const quote = quoteOf(spec);
  await insertQuote(db.client, quote, tenantId, spec);
  await insertQuote(db.client, quote, tenantId, spec);
  expect(await requireQuote(db.client, tenantId, quote.id)).toEqual({ quote, spec });
  expect(await requireLiveQuote(db.client, tenantId, quote.id, now)).toEqual({ quote, spec });
  await expect(
    requireLiveQuote(db.client, tenantId, quote.id, new Date(now.getTime() + 3_600_000)),
  ).rejects.toMatchObject({ code: 'expired' });
  await expect(requireQuote(db.client, newId('tenant'), quote.id)).rejects.toMatchObject({ code: 'not-found' });
});
