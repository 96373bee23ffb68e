import { parse } from 'csv-parse/sync';
import { expect } from 'vitest';
import { newId } from '../../src/core/ids.ts';
import type { Database } from '../../src/db/database.ts';
import { createRollup } from '../../src/shares/rollup.ts';
import { postNotice } from '../../src/shares/store.ts';
import { operatorKey, test, type TestApp } from '../support/app.ts';

const month = '2026-01';
const at = (text: string) => new Date(`2026-01-${text}:00Z`);

/** An attempt of an hour on four cores: ten minutes to come up, and it failed five minutes before its machine was gone. */
async function failedHour(db: Database, tenantId: string, state: 'failed' | 'succeeded') {
  const [jobId, attemptId, instanceId] = [newId('job'), newId('attempt'), newId('instance')];
  const [created, started, stopping, gone] = [at('10T12:00'), at('10T12:10'), at('10T12:55'), at('10T13:00')];
  const job = { id: jobId, tenantId, name: 'a', state, spec: {}, quoteId: '', options: [], priority: 50 };
  await db.client.job.create({
    data: { ...job, createdAt: at('10T11:50'), queuedAt: at('10T11:50'), startedAt: started, finishedAt: gone },
  });
  const attempt = { id: attemptId, jobId, tenantId, number: 1, state, reason: 'exit-code', offer: {}, limits: {} };
  await db.client.attempt.create({
    data: { ...attempt, createdAt: created, startedAt: started, stoppingAt: stopping, leaseExpiresAt: gone },
  });
  const machine = { id: instanceId, attemptId, tenantId, node: 0, provider: 'local', zone: 'here', name: instanceId };
  await db.client.instance.create({
    data: { ...machine, state: 'gone', requestedAt: created, createdAt: created, goneAt: gone },
  });
  const use = { tenantId, jobId, attempt: 1, instanceId, provider: 'local', region: 'here', kind: 'cpu' };
  const amounts = { acceleratorSeconds: 14_400, petaflopSeconds: 86_400, microUsd: 6_000_000 };
  await db.client.usageEntry.create({ data: { ...use, from: created, to: gone, ...amounts } });
  await db.client.attempt.update({ where: { id: attemptId }, data: { finishedAt: gone } });
}

async function january(api: TestApp, db: Database) {
  const [vision, speech] = [await api.tenant('vision'), await api.tenant('speech_2')];
  for (let hour = 0; hour < 3; hour += 1) await failedHour(db, vision.id, 'succeeded');
  await failedHour(db, speech.id, 'failed');
  await api.ask(operatorKey, `PUT /v1/tenants/${vision.id}/policy`, { shareCap: { share: 0.5 } });
  await api.ask(operatorKey, 'PUT /v1/pool/policy', { hhiCeiling: 0.6 });
  const note = 'The HHI rose to 0.63 | above its ceiling.';
  await db.transaction((tx) => postNotice(tx, { tenantId: vision.id, note, at: at('10T12:10') }));
  await createRollup({ db, preemptions: ['preemption'] })();
  return { vision, speech, note };
}

test('the report of a month says who held how much, how concentrated, what waited and what was lost', async ({
  api,
  db,
}) => {
  const { vision, speech, note } = await january(api, db);
  const report = (await api.ask(operatorKey, `GET /v1/shares/report?month=${month}`)).json();
  expect(report).toMatchObject({
    month,
    isComplete: true,
    total: { compute: 4, acceleratorHours: 16, costUsd: 24 },
    concentration: { hhi: 0.625, largestShare: 0.75 },
    tenantCount: 2,
    wait: { jobs: 4, p50Seconds: 1200, p90Seconds: 1200 },
    ceilings: { hhi: 0.6, largestShare: null },
    notices: [{ at: '2026-01-10T12:10:00.000Z', tenant: { id: vision.id, name: 'vision' }, note }],
  });
  expect(report.tenants).toMatchObject([
    { tenant: { id: vision.id }, share: 0.75, shareCap: 0.5, wait: { jobs: 3 } },
    { tenant: { id: speech.id }, share: 0.25, wasted: { compute: expect.closeTo(1, 6), costUsd: 6 } },
  ]);
  expect(report.wasted.failed.costUsd).toBe(4.5);
  expect(report.wasted.provisioning.costUsd).toBe(4);
});

test('as Markdown it is a text that explains itself, as CSV a row for each tenant', async ({ api, db }) => {
  const { vision } = await january(api, db);
  const markdown = await api.ask(operatorKey, `GET /v1/shares/report?month=${month}`, undefined, {
    accept: 'text/markdown',
  });
  expect(markdown.headers['content-type']).toBe('text/markdown; charset=utf-8');
  for (const line of [
    '# Shares of compute, January 2026',
    'From 2026-01-01 to the end of the month (UTC), 2 tenants shared 4 PFLOP/s-days of compute in 16 accelerator-hours, at a cost of $24.00. The largest share was 75.0 %.',
    '| vision | 75.0 % | 50.0 % | 3 | 12 | $18.00 |',
    String.raw`| speech\_2 | 25.0 % |  | 1 | 4 | $6.00 |`,
    '| Effective tenants | 1.6 | Compute was spread as if 1.6 tenants had used equal parts of it; there are 2. |',
    String.raw`- 2026-01-10 12:10, vision: The HHI rose to 0.63 \| above its ceiling.`,
    '| vision | 3 | 20 min | 20 min |',
    '| work of jobs that failed, since they last saved it | 0.75 | 18.8 % | $4.50 |',
  ])
    expect(markdown.body.split('\n')).toContain(line);
  const csv = await api.ask(operatorKey, `GET /v1/shares/report?month=${month}&format=csv`);
  expect(parse(csv.body, { columns: true })).toMatchObject([
    { tenant: vision.id, name: 'vision', share: '0.75', shareCap: '0.5', jobsStarted: '3', waitP50Seconds: '1200' },
    { name: 'speech_2', share: '0.25', shareCap: '' },
  ]);
});

test('of an array each task waited since the array was submitted; the array itself is no job that started', async ({
  api,
  db,
}) => {
  const { id: tenantId } = await api.tenant('vision');
  const job = { tenantId, name: 'a', state: 'running', spec: {}, quoteId: '', options: [], priority: 50 } as const;
  const times = { createdAt: at('10T11:00'), queuedAt: at('10T11:00'), startedAt: at('10T11:01') };
  const arrayId = newId('job');
  await db.client.job.create({ data: { ...job, ...times, id: arrayId } });
  await db.client.jobArray.create({ data: { jobId: arrayId, tenantId, tasks: 1, unmade: 0 } });
  const task = { ...job, ...times, id: newId('job'), arrayId, arrayIndex: 0 };
  await db.client.job.create({ data: { ...task, createdAt: at('10T11:50'), startedAt: at('10T12:00') } });
  const { wait } = (await api.ask(operatorKey, `GET /v1/shares/report?month=${month}`)).json();
  expect(wait).toEqual({ jobs: 1, p50Seconds: 3600, p90Seconds: 3600 });
});

test('the cap of an organisation is compared with what its teams used', async ({ api, db }) => {
  const { vision } = await january(api, db);
  const lab = await api.tenant('lab');
  await api.ask(operatorKey, `PUT /v1/tenants/${lab.id}/policy`, { shareCap: { share: 0.6 } });
  await api.ask(operatorKey, `PUT /v1/tenants/${vision.id}/policy`, { parent: lab.id });
  const report = (await api.ask(operatorKey, `GET /v1/shares/report?month=${month}`)).json();
  const rows = new Map(report.tenants.map((row: { tenant: { id: string } }) => [row.tenant.id, row]));
  expect(rows.get(lab.id)).toMatchObject({ share: 0, shareCap: 0.6, cappedShare: 0.75 });
  expect(rows.get(vision.id)).toMatchObject({ share: 0.75, shareCap: null, cappedShare: null });
  const { body } = await api.ask(operatorKey, `GET /v1/shares/report?month=${month}&format=markdown`);
  expect(body).toContain('over the month above it: lab (75.0 % of 60.0 %).');
});

test('a tenant finds itself in the report, and others without names where it may', async ({ api, db }) => {
  const { vision, speech } = await january(api, db);
  const read = async () => (await api.ask(speech.keys.viewer, `GET /v1/shares/report?month=${month}`)).json();
  const closed = await read();
  expect(closed).toMatchObject({ tenants: [{ tenant: { id: speech.id } }], notices: [], tenantCount: 2 });
  expect(JSON.stringify(closed)).not.toContain('"vision"');
  await api.ask(operatorKey, 'PUT /v1/pool/policy', { tenantsSeeOthers: true });
  const open = await read();
  expect(open.tenants).toMatchObject([{ tenant: null, share: 0.75, shareCap: null }, { tenant: { id: speech.id } }]);
  expect(JSON.stringify(open)).not.toContain(vision.id);
  const { body } = await api.ask(speech.keys.viewer, `GET /v1/shares/report?month=${month}&format=markdown`);
  expect(body).toContain('| another tenant | 75.0 % |');
});

test('a month without anything is a report too; one that has not begun is not', async ({ api }) => {
  const empty = await api.ask(operatorKey, 'GET /v1/shares/report?month=2025-02&format=markdown');
  expect(empty.body).toContain('nothing was used by any of 0 tenants');
  const future = await api.ask(operatorKey, 'GET /v1/shares/report?month=2999-01');
  expect(future.json()).toMatchObject({ status: 400, errors: [{ pointer: '?month' }] });
});
