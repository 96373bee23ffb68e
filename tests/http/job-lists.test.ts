import { expect } from 'vitest';
import type { Database } from '../../src/db/database.ts';
import { newId } from '../../src/core/ids.ts';
import { insertJobs } from '../../src/jobs/store.ts';
import type { Job, JobState, JobSummary } from '../../src/protocol/job.ts';
import { asText } from '../../src/quotes/store.ts';
import { operatorKey, sampleQuote, test, type TestApp } from '../support/app.ts';

type Given = {
  name: string;
  state?: JobState;
  labels?: Record<string, string>;
  costUsd?: number;
  endedMinute?: number;
};

/** Jobs one after another, as the service leaves them behind. */
async function addJobs(db: Database, tenantId: string, given: Given[]): Promise<string[]> {
  const rows = given.map(({ name, labels }) => {
    const quote = sampleQuote(newId('quote'));
    const spec = { name, command: 'true', ...(labels === undefined ? {} : { labels }) };
    return {
      id: newId('job'),
      tenantId,
      spec,
      quote: asText(quote),
      isNewQuote: true,
      options: quote.options,
      at: new Date(),
    };
  });
  await insertJobs(db, rows);
  for (const [index, { state = 'queued', costUsd = 0, endedMinute }] of given.entries())
    await db.pool.query(
      `UPDATE job SET state = $2::"JobState", charged_micro_usd = $3, finished_at = $4 WHERE id = $1`,
      [
        rows[index]?.id,
        state,
        costUsd * 1e6,
        endedMinute === undefined ? null : new Date(Date.UTC(2026, 10, 1, 9, endedMinute)),
      ],
    );
  return rows.map(({ id }) => id);
}

const given: Given[] = [
  { name: 'bert', state: 'succeeded', labels: { project: 'nlp', stage: 'dev' }, costUsd: 3, endedMinute: 2 },
  { name: 'resnet_50', state: 'failed', labels: { project: 'vision' }, costUsd: 1, endedMinute: 9 },
  { name: 'ResNet-101', state: 'queued', labels: { project: 'vision=2' } },
  { name: '100%', state: 'running', costUsd: 2 },
];

async function names(api: TestApp, query: string, key = operatorKey): Promise<string[]> {
  const [summaries, whole] = await Promise.all(
    ['/v1/jobs/summaries', '/v1/jobs'].map((path) => api.ask(key, `GET ${path}?${query}`)),
  );
  expect([summaries?.statusCode, whole?.statusCode]).toEqual([200, 200]);
  const namesOf = (answer: typeof whole) => answer?.json<{ items: { name: string }[] }>().items.map(({ name }) => name);
  expect(namesOf(whole)).toEqual(namesOf(summaries));
  return namesOf(summaries) ?? [];
}

test('jobs are found by state, name, part of it, id and label', async ({ api, db }) => {
  const { id: tenantId, keys } = await api.tenant('vision');
  const [, second = ''] = await addJobs(db, tenantId, given);
  const other = await api.tenant('speech');
  await addJobs(db, other.id, [{ name: 'resnet of others', labels: { project: 'vision' } }]);
  const own = (query: string) => names(api, query, keys.viewer);
  expect(await own('')).toEqual(['100%', 'ResNet-101', 'resnet_50', 'bert']);
  expect(await own('state=failed')).toEqual(['resnet_50']);
  expect(await own('state=succeeded,running')).toEqual(['100%', 'bert']);
  expect(await own('name=resnet_50')).toEqual(['resnet_50']);
  expect(await own('q=resnet')).toEqual(['ResNet-101', 'resnet_50']);
  expect(await own('q=t_5')).toEqual(['resnet_50']);
  expect(await own(`q=${encodeURIComponent('%')}`)).toEqual(['100%']);
  expect(await own(`q=${second}`)).toEqual(['resnet_50']);
  expect(await own('label=project=vision')).toEqual(['resnet_50']);
  expect(await own('label=project=vision=2')).toEqual(['ResNet-101']);
  expect(await own('label=project')).toEqual(['ResNet-101', 'resnet_50', 'bert']);
  expect(await own('label=project=nlp&state=failed')).toEqual([]);
  expect(await names(api, 'label=project=vision')).toEqual(['resnet of others', 'resnet_50']);
  expect(await names(api, `q=resnet&tenant=${other.id}`)).toEqual(['resnet of others']);
  const wrong = await api.ask(keys.viewer, 'GET /v1/jobs/summaries?state=done');
  expect(wrong.json().errors).toEqual([{ pointer: '?state', detail: expect.any(String) }]);
});

test('a page of whole jobs comes as it is read, not held whole', async ({ api, db }) => {
  const { id: tenantId, keys } = await api.tenant('vision');
  const ids = await addJobs(
    db,
    tenantId,
    Array.from({ length: 45 }, (_, index) => ({ name: `job-${index}` })),
  );
  const list = (query: string) => api.ask(keys.viewer, `GET /v1/jobs?sort=createdAt&${query}`);
  const first = await list('limit=44');
  expect(first.headers).toMatchObject({ 'content-type': 'application/json; charset=utf-8' });
  expect(first.headers).not.toHaveProperty('content-length');
  const { items, nextCursor } = first.json<{ items: Job[]; nextCursor: string }>();
  expect(items.map(({ id }) => id)).toEqual(ids.slice(0, 44));
  expect(items[43]).toEqual((await api.ask(keys.viewer, `GET /v1/jobs/${ids[43]}`)).json());
  expect((await list(`cursor=${nextCursor}`)).json()).toMatchObject({ items: [{ id: ids[44] }], nextCursor: null });
  expect((await list('name=none')).json()).toEqual({ items: [], nextCursor: null });
});

test('they are sorted on the server, page after page', async ({ api, db }) => {
  const { id: tenantId, keys } = await api.tenant('vision');
  await addJobs(db, tenantId, [...given, { name: 'bert', state: 'cancelled', costUsd: 1, endedMinute: 5 }]);
  const paged = async (sort: string) => {
    const found: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const from: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const answer = await api.ask(keys.viewer, `GET /v1/jobs/summaries?limit=2&sort=${sort}${from}`);
      const page = answer.json<{ items: JobSummary[]; nextCursor: string | null }>();
      found.push(...page.items.map(({ name, state }) => `${name} ${state}`));
      cursor = page.nextCursor;
    }
    return found;
  };
  expect(await paged('createdAt')).toEqual(['bert succeeded', 'resnet_50 failed', 'ResNet-101 queued', '100% running', 'bert cancelled']); // prettier-ignore
  expect(await paged('-costUsd')).toEqual(['bert succeeded', '100% running', 'bert cancelled', 'resnet_50 failed', 'ResNet-101 queued']); // prettier-ignore
  expect(await paged('finishedAt')).toEqual(['bert succeeded', 'bert cancelled', 'resnet_50 failed', 'ResNet-101 queued', '100% running']); // prettier-ignore
  expect((await paged('name')).toSorted()).toEqual((await paged('-name')).toSorted());
  expect((await paged('name')).toReversed()).toEqual(await paged('-name'));
});

test('a summary says what the job says, without its spec, its quote and its attempts', async ({ api, db }) => {
  const { id: tenantId, keys } = await api.tenant('vision');
  const [id = ''] = await addJobs(db, tenantId, given);
  const { items } = (await api.ask(keys.viewer, 'GET /v1/jobs/summaries?name=bert')).json<{ items: JobSummary[] }>();
  const whole = (await api.ask(keys.viewer, `GET /v1/jobs/${id}`)).json<Job>();
  const { spec, quote, attempts, ...rest } = whole;
  const [option] = quote?.options ?? [];
  expect(attempts).toEqual([]);
  expect(items).toEqual([
    {
      ...rest,
      priority: 50,
      labels: spec.labels,
      attempts: 0,
      accelerators: { kind: 'cpu', count: 1 },
      machine: null,
      quoted: { costUsd: option?.costUsd, durationSeconds: option?.durationSeconds },
    },
  ]);
});

test('a job’s progress is told over time, with what its machines use', async ({ api, db }) => {
  const { id: tenantId, keys } = await api.tenant('vision');
  const other = await api.tenant('speech');
  const [id = ''] = await addJobs(db, tenantId, given);
  const atMs = Date.UTC(2026, 10, 1);
  const progress = { done: 5, total: 10, unit: 'steps', attempt: 1, marks: [[atMs, 1], [atMs + 1000, 5]], earlierRate: null }; // prettier-ignore
  await db.client.job.update({ where: { id }, data: { progress } });
  expect((await api.ask(keys.viewer, `GET /v1/jobs/${id}/progress`)).json()).toEqual({
    done: 5,
    total: 10,
    unit: 'steps',
    attempt: 1,
    points: [
      { at: '2026-11-01T00:00:00.000Z', done: 1 },
      { at: '2026-11-01T00:00:01.000Z', done: 5 },
    ],
    usage: [],
  });
  expect((await api.ask(other.keys.viewer, `GET /v1/jobs/${id}/progress`)).statusCode).toBe(404);
});
