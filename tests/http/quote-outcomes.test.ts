import { expect } from 'vitest';
import { recordResiduals } from '../../src/quotes/calibrate.ts';
import { finish, spec } from '../quotes/finished.ts';
import { quoteOf } from '../quotes/sample.ts';
import { operatorKey, test, type TestApp } from '../support/app.ts';

const quote = () => quoteOf(spec);
const predicted = quote().options[0]?.durationSeconds ?? { p10: 0, p50: 0, p90: 0 };

async function outcomes(api: TestApp, key: string, query = '') {
  return (await api.ask(key, `GET /v1/quotes/outcomes${query}`)).json();
}

test('a finished job’s outcome sets what was quoted beside what came; a tenant sees its own, an operator all or one’s', async ({
  api,
  db,
}) => {
  const [vision, speech] = [await api.tenant('vision'), await api.tenant('speech')];
  const run = async (tenantId: string, seconds: number) => {
    const job = await finish(db, { tenantId, quote: quote(), seconds, usd: 0.25 });
    await recordResiduals(db.client, [job]);
    return job;
  };
  const first = await run(vision.id, 2 * predicted.p50);
  const second = await run(vision.id, predicted.p50);
  const third = await run(speech.id, predicted.p50);
  // One that failed tells nothing of how long it takes.
  await recordResiduals(db.client, [
    await finish(db, { tenantId: vision.id, quote: quote(), seconds: 1, state: 'failed', reason: 'exit-code' }),
  ]);

  const { items, nextCursor } = await outcomes(api, vision.keys.viewer);
  expect(nextCursor).toBeNull();
  expect(items.map(({ job }: { job: string }) => job)).toEqual([second, first]);
  expect(items[1]).toMatchObject({
    name: spec.name,
    tenant: vision.id,
    basis: 'examples',
    durationSeconds: {
      predicted: expect.closeTo(predicted.p50, 3),
      p10: expect.closeTo(predicted.p10, 3),
      p90: expect.closeTo(predicted.p90, 3),
      actual: expect.closeTo(2 * predicted.p50, 0),
    },
    costUsd: { actual: 0.25 },
  });

  const jobsOf = async (query: string) =>
    (await outcomes(api, operatorKey, query)).items.map(({ job }: { job: string }) => job);
  expect(await jobsOf('')).toEqual([third, second, first]);
  expect(await jobsOf(`?tenant=${speech.id}`)).toEqual([third]);
  const others = await api.ask(vision.keys.viewer, `GET /v1/quotes/outcomes?tenant=${speech.id}`);
  expect(others.statusCode).toBe(404);
});

test('pages follow each other without a gap', async ({ api, db }) => {
  const { id, keys } = await api.tenant('vision');
  const jobs: string[] = [];
  for (let i = 0; i < 3; i += 1) {
    const job = await finish(db, { tenantId: id, quote: quote(), seconds: predicted.p50 });
    await recordResiduals(db.client, [job]);
    jobs.unshift(job);
  }
  const page = await outcomes(api, keys.viewer, '?limit=2');
  const last = await outcomes(api, keys.viewer, `?limit=2&cursor=${page.nextCursor}`);
  expect([...page.items, ...last.items].map(({ job }) => job)).toEqual(jobs);
  expect(last.nextCursor).toBeNull();
});

test.for([
  ['?limit=none', 400],
  ['?cursor=nonsense', 400],
  ['?tenant=vision', 400],
  ['?colour=red', 400],
] as const)('`%s` is told as such', async ([query, status], { api }) => {
  const answer = await api.ask(operatorKey, `GET /v1/quotes/outcomes${query}`);
  expect(answer.statusCode).toBe(status);
  expect(answer.headers['content-type']).toContain('application/problem+json');
});
