import { expect } from 'vitest';
import { newId } from '../../src/core/ids.ts';
import type { JobSpec } from '../../src/protocol/job-spec.ts';
import type { Quote } from '../../src/protocol/quote.ts';
import type { Sellable } from '../../src/providers/provider.ts';
import { accuracy } from '../../src/quotes/accuracy.ts';
import { createCalibrate, createCalibrateSweep, recalibrate, recordResiduals } from '../../src/quotes/calibrate.ts';
import { createHistory } from '../../src/quotes/history.ts';
import { insertDue } from '../../src/quotes/residual-store.ts';
import { builtInCatalogue } from '../../src/quotes/price-list.ts';
import { indexWares } from '../../src/quotes/sellers.ts';
import { createQuoter } from '../../src/quotes/quote.ts';
import { resolveWork } from '../../src/quotes/work.ts';
import { insertQuote, requireQuote } from '../../src/quotes/store.ts';
import { test } from '../support/database.ts';
import { finish, now, spec } from './finished.ts';
import { localMachine, quoteOf } from './sample.ts';

test('a job that succeeded leaves one residual, however often it is asked for; one that failed leaves none', async ({
  db,
}) => {
  const tenantId = newId('tenant');
  const quote = quoteOf(spec);
  const predicted = quote.options[0]?.durationSeconds.p50 ?? 0;
  const succeeded = await finish(db, { tenantId, quote, seconds: predicted * 2 });
  const failed = await finish(db, { tenantId, quote: quoteOf(spec), seconds: 1, state: 'failed' });
  for (const id of [succeeded, succeeded, failed]) await recordResiduals(db.client, [id]);

  const rows = await db.client.quoteResidual.findMany();
  expect(rows).toHaveLength(1);
  expect(rows[0]).toMatchObject({ jobId: succeeded, basis: 'examples', kind: 'cpu', actualMicroUsd: 1000n });
  expect(rows[0]?.logRatio).toBeCloseTo(Math.log(2), 3);
});

test('of many who take up a job at once one compares it; what is not taken up is found again', async ({ db }) => {
  const tenantId = newId('tenant');
  const jobId = await finish(db, { tenantId, quote: quoteOf(spec), seconds: 60 });
  await insertDue(db.client, jobId, now);
  await insertDue(db.client, jobId, now);
  const woken: string[] = [];
  const sweepAt = (seconds: number) =>
    createCalibrateSweep({
      db,
      now: () => new Date(now.getTime() + seconds * 1000),
      wakeCalibrate: async (id) => void woken.push(id),
    })();
  await sweepAt(1);
  expect(woken).toEqual([]);
  await sweepAt(10);
  expect(woken).toEqual([jobId]);

  const calibrate = createCalibrate({ db, finishPilots: async () => undefined, coreRates: async () => new Map() });
  await Promise.all(Array.from({ length: 5 }, () => calibrate(jobId)));
  expect(await db.client.quoteResidual.count()).toBe(1);
  await sweepAt(20);
  expect(woken).toEqual([jobId]);
});

test('residuals against another model are taken anew at the start; what was quoted and what came stay', async ({
  db,
}) => {
  const tenantId = newId('tenant');
  const jobId = await finish(db, { tenantId, quote: quoteOf(spec), seconds: 60 });
  await recordResiduals(db.client, [jobId]);
  const before = await db.client.quoteResidual.findUniqueOrThrow({ where: { jobId } });
  const clock = () => now;
  await recalibrate({ db, now: clock });
  expect(await db.client.calibrationDue.count()).toBe(0);

  await db.client.quoteResidual.update({
    where: { jobId },
    data: { model: 'former', logRatio: 9, predictedSeconds: 7 },
  });
  await recalibrate({ db, now: clock });
  await createCalibrate({ db, finishPilots: async () => undefined, coreRates: async () => new Map() })(jobId);
  expect(await db.client.quoteResidual.findUniqueOrThrow({ where: { jobId } })).toEqual({
    ...before,
    predictedSeconds: 7,
  });
});

test('a job stopped at its maxDuration says how long it takes at least, until one of its name is done', async ({
  db,
}) => {
  const tenantId = newId('tenant');
  const history = createHistory(db, () => now);
  const quoteNow = async () => quoteOf(spec, { history: await createHistory(db, () => now)(tenantId, spec.name) });
  const before = (await quoteNow()).options[0]?.durationSeconds;
  const seconds = (before?.p50 ?? 0) * 3;
  await recordResiduals(db.client, [
    await finish(db, { tenantId, quote: quoteOf(spec), seconds, state: 'failed', reason: 'max-duration' }),
  ]);
  const after = await quoteNow();
  expect(after.options[0]?.durationSeconds.p10).toBeCloseTo(seconds, 3);
  expect(after.options[0]?.durationSeconds.p90).toBeCloseTo((before?.p90 ?? 0) * 3, 3);
  expect(after.workload.assumptions.join(' ')).toContain('stopped at its maxDuration, so the whole takes longer');
  expect(after.calibration.runs).toBe(0);
  expect((await accuracy(db.client, tenantId, now)).finishedJobs).toBe(0);
  expect((await history(newId('tenant'), spec.name))(resolveWork(spec.workload), 'cpu').atLeast).toBeUndefined();

  const later = new Date(now.getTime() + seconds * 1000);
  await recordResiduals(db.client, [
    await finish(db, { tenantId, quote: quoteOf(spec), seconds: seconds / 3, at: later }),
  ]);
  const done = await quoteNow();
  expect(done.options[0]?.durationSeconds.p10).toBeLessThan(seconds / 3);
  expect(done.calibration.runs).toBe(1);
});

test('a residual is against the rate that the offer’s cores were measured at; one of before they were, against today’s', async ({
  db,
}) => {
  const measured = { ...localMachine, gigaflopsPerCore: 80 };
  const wares = indexWares([{ provider: 'local', sellables: [measured] }], builtInCatalogue);
  const seconds = (quoteOf(spec, { wares }).options[0]?.durationSeconds.p50 ?? 0) * 3;
  const logRatioOf = async (quote: Quote, coreRate: number): Promise<number | undefined> => {
    const jobId = await finish(db, { tenantId: newId('tenant'), quote, seconds });
    await recordResiduals(db.client, [jobId], new Map([['local', coreRate]]));
    return (await db.client.quoteResidual.findUnique({ where: { jobId } }))?.logRatio;
  };
  expect(await logRatioOf(quoteOf(spec, { wares }), 40)).toBeCloseTo(Math.log(3), 6);
  expect(await logRatioOf(quoteOf(spec), 80)).toBeCloseTo(Math.log(3), 6);
});

test('of what ran on spot the residual is of the work alone, interrupted or not', async ({ db }) => {
  const spot: Sellable = { ...localMachine, market: 'spot', spotMeanUpSeconds: 20_000 };
  const wares = indexWares([{ provider: 'local', sellables: [spot] }], builtInCatalogue);
  const hours: JobSpec = { ...spec, workload: { expectedDuration: '2h' } };
  const logRatioOf = async (ran: JobSpec, seconds: number, before: number[]): Promise<number | undefined> => {
    const quote = quoteOf(ran, { wares });
    expect(quote.options[0]?.phases.preemptionSeconds).toBeGreaterThan(0);
    const jobId = await finish(db, { tenantId: newId('tenant'), quote, seconds, before, ran });
    await recordResiduals(db.client, [jobId]);
    return (await db.client.quoteResidual.findUnique({ where: { jobId } }))?.logRatio;
  };
  expect(await logRatioOf(hours, 7200, [])).toBeCloseTo(0, 6);
  expect(await logRatioOf(hours, 7200, [5000, 300])).toBeCloseTo(0, 6);
  const saving: JobSpec = { ...hours, checkpoints: { path: 'ckpt/', every: '10m' } };
  // A tenth for checkpoints, of 60 s each. The first attempt loses 5 min in the middle, and a minute to read the last one.
  expect(await logRatioOf(saving, 7920, [])).toBeCloseTo(0, 6);
  expect(await logRatioOf(saving, 3960, [3960 + 360, 200])).toBeCloseTo(0, 6);
});

const repeated: { what: string; ran: JobSpec; base: number }[] = [
  { what: 'a job', ran: spec, base: 400 },
  {
    what: 'a job that writes a checkpoint every ten minutes',
    ran: { ...spec, workload: { expectedDuration: '3h' }, checkpoints: { path: 'ckpt/', every: '10m' } },
    base: 20_000,
  },
];

for (const { what, ran, base } of repeated)
  test(`after five runs of ${what} its quote is within 5 %, and more than three times narrower`, async ({ db }) => {
    const tenantId = newId('tenant');
    // Each look at the clock is a second later: what was read for the quote before is not read again within one.
    let at = now.getTime();
    const clock = () => new Date((at += 1_000));
    const { quote } = createQuoter({
      sellers: () => Promise.resolve([{ provider: 'local', sellables: [localMachine] }]),
      catalogue: async () => builtInCatalogue,
      history: createHistory(db, clock),
      policy: () => Promise.resolve({}),
      share: () => Promise.resolve({ window: '30d', before: 0, after: () => 0, cap: null }),
      queueWait: async () => () => ({ p50: 0, p90: 0 }),
      petaflopsPerAccelerator: () => 1,
      bucketRegion: () => null,
      now: () => now,
      quoteMs: 1000,
    });
    const first = await quote(tenantId, ran, newId('quote'));
    for (const seconds of [1, 1.01, 0.99, 1.005, 0.995].map((factor) => base * factor)) {
      await recordResiduals(db.client, [
        await finish(db, { tenantId, quote: await quote(tenantId, ran, newId('quote')), seconds, ran }),
      ]);
    }
    const after = await quote(tenantId, ran, newId('quote'));
    const width = ({ options }: Quote): number =>
      (options[0]?.durationSeconds.p90 ?? 0) / (options[0]?.durationSeconds.p10 ?? 1);
    expect(Math.abs((after.options[0]?.durationSeconds.p50 ?? 0) / base - 1)).toBeLessThan(0.05);
    expect(width(after)).toBeLessThan(width(first) / 3);
    expect(after.calibration.runs).toBe(5);

    const stranger = await quote(newId('tenant'), ran, newId('quote'));
    expect(stranger.calibration.runs).toBe(0);
  });

test('a quote is stored once, and read by its own tenant only', async ({ db }) => {
  const tenantId = newId('tenant');
  const quote = quoteOf(spec);
  await insertQuote(db.client, quote, tenantId, spec);
  await insertQuote(db.client, quote, tenantId, spec);
  expect(await requireQuote(db.client, tenantId, quote.id)).toEqual({ quote, spec });
  await expect(requireQuote(db.client, newId('tenant'), quote.id)).rejects.toMatchObject({ code: 'not-found' });
});
