import { expect } from 'vitest';
import { newId } from '../../src/core/ids.ts';
import { dayMs } from '../../src/core/time.ts';
import { forgetRequests } from '../../src/http/store.ts';
import { createTenant } from '../../src/tenants/tenants.ts';
import { createDatabase } from '../support/database.ts';
import { openDatabase } from '../../src/db/database.ts';
import { openApp, operatorKey, test } from '../support/app.ts';

const once = { 'idempotency-key': 'a1' };
const job = { name: 'train', command: 'true' };

test('the same key and body make one job and give the same answer', async ({ api, db }) => {
  const { keys } = await api.tenant('vision');
  const first = await api.ask(keys.member, 'POST /v1/jobs', job, once);
  const second = await api.ask(keys.member, 'POST /v1/jobs', job, once);
  expect(first.statusCode).toBe(201);
  expect(second.statusCode).toBe(201);
  expect(second.body).toBe(first.body);
  expect(second.headers['idempotent-replayed']).toBe('true');
  expect(await db.client.job.count()).toBe(1);
});

test('the same key with another body, or on another route, is refused', async ({ api }) => {
  const { keys } = await api.tenant('vision');
  await api.ask(keys.member, 'POST /v1/jobs', job, once);
  const other = await api.ask(keys.member, 'POST /v1/jobs', { ...job, command: 'false' }, once);
  expect(other.statusCode).toBe(422);
  expect(other.json().type).toMatch(/\/idempotency-mismatch$/);
  expect((await api.ask(keys.member, 'POST /v1/quotes', job, once)).statusCode).toBe(422);
});

test('of many at once, one is carried out and all give its answer', async ({ api, db }) => {
  const { keys } = await api.tenant('vision');
  const answers = await Promise.all(Array.from({ length: 8 }, () => api.ask(keys.member, 'POST /v1/jobs', job, once)));
  expect(new Set(answers.map(({ body }) => body)).size).toBe(1);
  expect(await db.client.job.count()).toBe(1);
});

test('keys of two callers do not meet', async ({ api, db }) => {
  const { keys } = await api.tenant('vision');
  const other = await api.tenant('speech');
  await api.ask(keys.member, 'POST /v1/jobs', job, once);
  expect((await api.ask(other.keys.member, 'POST /v1/jobs', { ...job, name: 'other' }, once)).statusCode).toBe(201);
  expect(await db.client.job.count()).toBe(2);
});

test('a made key is answered again, and lies encrypted in between', async ({ api, db }) => {
  const { id } = await api.tenant('vision');
  const first = await api.ask(operatorKey, `POST /v1/tenants/${id}/keys`, { role: 'viewer' }, once);
  const second = await api.ask(operatorKey, `POST /v1/tenants/${id}/keys`, { role: 'viewer' }, once);
  expect(second.body).toBe(first.body);
  const [row] = await db.client.idempotentRequest.findMany();
  expect(Buffer.from(row?.sealed ?? []).toString('latin1')).not.toContain(first.json().key);
});

test('what was refused made nothing, so its key may be used again', async ({ api }) => {
  const { keys } = await api.tenant('vision');
  expect((await api.ask(keys.member, 'POST /v1/jobs', { ...job, secrets: ['HF_TOKEN'] }, once)).statusCode).toBe(400);
  expect((await api.ask(keys.member, 'POST /v1/jobs', job, once)).statusCode).toBe(201);
});

test('a repeat after a crash makes the same thing, not another', async ({ api, db }) => {
  const { id } = (await api.ask(operatorKey, 'POST /v1/tenants', { name: 'vision' }, once)).json();
  // As the crash left it: made, but not answered.
  await db.client.idempotentRequest.updateMany({ data: { status: null, sealed: null, createdAt: new Date(0) } });
  const repeated = await api.ask(operatorKey, 'POST /v1/tenants', { name: 'vision' }, once);
  expect(repeated.statusCode).toBe(201);
  expect(repeated.json().id).toBe(id);
});

test('a job that a crash left without an answer is answered as it is, also where it would be refused by now', async ({
  api,
  db,
}) => {
  const { id: tenantId, keys } = await api.tenant('vision');
  const { id, quote } = (await api.ask(keys.member, 'POST /v1/jobs', job, once)).json();
  await db.client.idempotentRequest.updateMany({ data: { status: null, sealed: null, createdAt: new Date(0) } });
  await db.client.job.update({ where: { id }, data: { state: 'failed', reason: 'exit-code' } });
  await api.ask(operatorKey, `PUT /v1/tenants/${tenantId}/policy`, { caps: { runningJobs: 0 } });
  const repeated = await api.ask(keys.member, 'POST /v1/jobs', job, once);
  expect(repeated.statusCode).toBe(201);
  expect(repeated.json()).toMatchObject({ id, state: 'failed', quote: { id: quote.id } });
  expect((await api.ask(keys.member, 'POST /v1/jobs', job, once)).body).toBe(repeated.body);
});

test('so is a quote', async ({ db }) => {
  let at = new Date();
  const { close, ...api } = await openApp(db, { now: () => at });
  const { keys } = await api.tenant('vision');
  const spec = { ...job, deadline: new Date(at.getTime() + 60_000).toISOString() };
  const { id } = (await api.ask(keys.member, 'POST /v1/quotes', spec, once)).json();
  await db.client.idempotentRequest.updateMany({ data: { status: null, sealed: null, createdAt: new Date(0) } });
  at = new Date(at.getTime() + 120_000);
  const repeated = await api.ask(keys.member, 'POST /v1/quotes', spec, once);
  expect([repeated.statusCode, repeated.json().id]).toEqual([201, id]);
  await close();
});

test('a repeat while the first is still carried out by another process is told to come back', async ({ api, db }) => {
  await api.ask(operatorKey, 'POST /v1/tenants', { name: 'vision' }, once);
  await db.client.idempotentRequest.updateMany({ data: { status: null, sealed: null, createdAt: new Date() } });
  const repeated = await api.ask(operatorKey, 'POST /v1/tenants', { name: 'vision' }, once);
  expect(repeated.statusCode).toBe(409);
  expect(repeated.headers['retry-after']).toBe('1');
});

test('a failure of ours leaves the key to the next, who carries on with the same id', async ({ expect }) => {
  const { url, drop } = await createDatabase();
  const db = openDatabase(url, 5);
  const ids: string[] = [];
  const submit = async (_tenant: string, _body: unknown, jobId: string) => {
    ids.push(jobId);
    throw new Error('disk on fire at /var/lib/secret');
  };
  const api = await openApp(db, { submit });
  await createTenant(db, { id: newId('tenant'), name: 'x', actor: 'test' });
  const { keys } = await api.tenant('vision');
  const failed = await api.ask(keys.member, 'POST /v1/jobs', job, once);
  expect(failed.statusCode).toBe(500);
  expect(failed.body).not.toContain('disk on fire');
  await forgetRequests(db.client, new Date(Date.now() - dayMs));
  await api.ask(keys.member, 'POST /v1/jobs', job, once);
  expect(ids).toHaveLength(2);
  expect(new Set(ids).size).toBe(1);
  await api.close();
  await db.close();
  await drop();
});
