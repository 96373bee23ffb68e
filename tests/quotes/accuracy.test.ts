import { expect } from 'vitest';
import { newId } from '../../src/core/ids.ts';
import { dayMs } from '../../src/core/time.ts';
import { accuracy } from '../../src/quotes/accuracy.ts';
import { recordResiduals } from '../../src/quotes/calibrate.ts';
import { insertPilot } from '../../src/quotes/pilot-store.ts';
import { insertQuote } from '../../src/quotes/store.ts';
import { test as withApi } from '../support/app.ts';
import { operatorKey } from '../support/app.ts';
import { test } from '../support/database.ts';
import { finish, now, spec, type Ran } from './finished.ts';
import { quoteOf } from './sample.ts';

const predicted = quoteOf(spec).options[0]?.durationSeconds.p50 ?? 0;
const predictedUsd = quoteOf(spec).options[0]?.costUsd.p50 ?? 0;

test('of a tenant it counts its own, of the operator all, by duration and by cost', async ({ db }) => {
  const [one, other] = [newId('tenant'), newId('tenant')];
  for (const [tenantId, factor] of [
    [one, 2],
    [one, 1],
    [other, 0.01],
  ] as const) {
    const ran = { tenantId, quote: quoteOf(spec), seconds: predicted * factor, usd: predictedUsd * factor };
    await recordResiduals(db.client, [await finish(db, ran)]);
  }
  const halfTooShort = {
    medianErrorPercent: expect.closeTo(25, 0),
    p90ErrorPercent: expect.closeTo(45, 0),
    biasPercent: expect.closeTo(-25, 0),
    coveragePercent: 100,
  };
  const figures = { finishedJobs: 2, duration: halfTooShort, cost: halfTooShort };
  expect(await accuracy(db.client, one, now)).toEqual({
    quotes: 2,
    ...figures,
    byAccelerator: [{ accelerator: 'cpu', ...figures }],
    byBasis: [{ basis: 'examples', ...figures }],
    overTime: [{ from: '2026-11-23T00:00:00.000Z', to: '2026-11-24T00:00:00.000Z', ...figures }],
    linearLaw: [expect.objectContaining({ scale: 'flops', finishedJobs: 2 })],
  });
  const all = await accuracy(db.client, null, now);
  expect(all).toMatchObject({ quotes: 3, finishedJobs: 3 });
  expect(all.duration.coveragePercent).toBeCloseTo(66.67, 1);
  expect(await accuracy(db.client, newId('tenant'), now)).toEqual({
    quotes: 0,
    finishedJobs: 0,
    duration: { medianErrorPercent: null, p90ErrorPercent: null, biasPercent: null, coveragePercent: null },
    cost: { medianErrorPercent: null, p90ErrorPercent: null, biasPercent: null, coveragePercent: null },
    byAccelerator: [],
    byBasis: [],
    overTime: [],
    linearLaw: [],
  });
});

test('a quote with a pilot is one quote, though the pilot is a job with a quote of its own', async ({ db }) => {
  const tenantId = newId('tenant');
  const asked = quoteOf(spec);
  await insertQuote(db.client, asked, tenantId, spec);
  const jobId = await finish(db, { tenantId, quote: quoteOf(spec), seconds: 60 });
  await insertPilot(db.client, { quoteId: asked.id, tenantId, jobId, since: now });
  expect(await accuracy(db.client, tenantId, now)).toMatchObject({ quotes: 1 });
  expect(await accuracy(db.client, null, now)).toMatchObject({ quotes: 1 });
});

test('it is told by basis and by day, and the linear law is fitted on the same jobs', async ({ db }) => {
  const tenantId = newId('tenant');
  const sized = (parameters: number, at: Date): Ran => {
    const ran = { ...spec, workload: { parameters, examples: 1000, epochs: 1 } };
    // Twice the scale, twice the cost: the law holds but for the last, which is ten times dearer.
    return { tenantId, quote: quoteOf(ran), ran, seconds: parameters / 1e4, usd: parameters / 1e9, at };
  };
  const yesterday = new Date(now.getTime() - dayMs);
  const long = new Date(now.getTime() - 60 * dayMs);
  for (const ran of [sized(1e6, long), sized(2e6, yesterday), sized(4e6, now), sized(8e6, now)])
    await recordResiduals(db.client, [await finish(db, ran)]);
  const odd = { ...sized(1e6, now), seconds: 1000, usd: 0.01 };
  await recordResiduals(db.client, [await finish(db, odd)]);
  const plain = { ...spec, workload: { expectedDuration: '1m' } };
  await recordResiduals(db.client, [
    await finish(db, { tenantId, quote: quoteOf(plain), ran: plain, seconds: 60, at: now }),
  ]);

  const told = await accuracy(db.client, tenantId, now);
  expect(told.byBasis.map(({ basis, finishedJobs }) => [basis, finishedJobs])).toEqual([
    ['examples', 5],
    ['expected-duration', 1],
  ]);
  expect(told.byBasis[1]?.duration.medianErrorPercent).toBe(0);
  expect(told.overTime.map(({ from, finishedJobs }) => [from.slice(0, 10), finishedJobs])).toEqual([
    ['2026-11-22', 1],
    ['2026-11-23', 4],
  ]);
  const [byParameters, byFlops] = told.linearLaw;
  expect(byParameters).toMatchObject({ scale: 'parameters', finishedJobs: 5 });
  expect(byParameters?.costUsd.coefficient).toBeCloseTo(1e-9, 15);
  expect(byParameters?.costUsd.medianErrorPercent).toBeCloseTo(0, 1);
  expect(byParameters?.costUsd.p90ErrorPercent).toBeCloseTo(90, 0);
  expect(byFlops).toMatchObject({ scale: 'flops', finishedJobs: 5 });
});

withApi('nobody is told the accuracy of another tenant’s quotes', async ({ api }) => {
  const [one, other] = [await api.tenant('one'), await api.tenant('other')];
  const asked = (key: string, tenant: string) => api.ask(key, `GET /v1/quotes/accuracy?tenant=${tenant}`);
  expect((await asked(one.keys.viewer, other.id)).statusCode).toBe(404);
  expect((await asked(one.keys.viewer, one.id)).statusCode).toBe(200);
  expect((await asked(operatorKey, other.id)).statusCode).toBe(200);
});
