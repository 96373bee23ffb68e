import type { LightMyRequestResponse } from 'fastify';
import { expect } from 'vitest';
import { openApp, operatorKey, test, type TestApp } from '../support/app.ts';

const own = { 'sec-fetch-site': 'same-origin' };

/** Signs in, and asks with the cookie that came of it, as a page of ours would. */
async function signIn(api: TestApp, key: string) {
  const answer = await api.ask(undefined, 'POST /v1/session', { key }, own);
  const cookie = cookieOf(answer);
  const ask = (request: string, body?: unknown, headers: Record<string, string> = own) =>
    api.ask(undefined, request, body, { cookie, ...headers });
  return { answer, cookie, ask };
}

function cookieOf({ headers }: LightMyRequestResponse): string {
  return String(headers['set-cookie']).split(';', 1)[0] ?? '';
}

test('a key opens a session whose cookie no script and no other site can use, and that may what the key may', async ({
  api,
}) => {
  const { id, keys } = await api.tenant('vision');
  const { answer, ask, cookie } = await signIn(api, keys.member);
  expect(answer.statusCode).toBe(201);
  const attributes = String(answer.headers['set-cookie']);
  for (const attribute of ['HttpOnly', 'SameSite=Strict', 'Path=/', 'Expires='])
    expect(attributes).toContain(attribute);
  expect(cookie).not.toContain(keys.member);
  expect(answer.json()).toEqual({
    role: 'member',
    tenant: { id, name: 'vision' },
    key: { id: expect.stringMatching(/^key_/), label: null },
    person: null,
    session: { id: expect.stringMatching(/^ses_/), expiresAt: expect.any(String) },
  });
  expect((await ask('GET /v1/me')).json()).toEqual(answer.json());
  expect((await ask('POST /v1/jobs', { name: 'a', command: 'true' })).statusCode).toBe(201);
  expect((await ask(`GET /v1/tenants/${id}/keys`)).json()).toMatchObject({
    status: 403,
    detail: 'This needs the role admin; you are signed in as member.',
  });
});

test('a bearer key is told whose it is, too, and has no session', async ({ api }) => {
  const { id, keys } = await api.tenant('vision');
  expect((await api.ask(keys.viewer, 'GET /v1/me')).json()).toMatchObject({
    role: 'viewer',
    tenant: { id, name: 'vision' },
    session: null,
  });
  expect((await api.ask(operatorKey, 'GET /v1/me')).json()).toEqual({
    role: 'operator',
    tenant: null,
    key: { id: 'operator', label: 'operator' },
    person: null,
    session: null,
  });
});

test('a key that is not known opens nothing, and the fault is at its field', async ({ api }) => {
  const { answer } = await signIn(api, 'weir_unknown');
  expect(answer.statusCode).toBe(401);
  expect(answer.headers['set-cookie']).toBeUndefined();
  expect(answer.json().errors).toEqual([{ pointer: '/key', detail: 'This key is not known, or was revoked.' }]);
});

test.for<[name: string, headers: Record<string, string>, status: number]>([
  ['a page of ours', { 'sec-fetch-site': 'same-origin' }, 201],
  ['a page of another site', { 'sec-fetch-site': 'cross-site' }, 403],
  ['a page beside ours under one domain', { 'sec-fetch-site': 'same-site', origin: 'http://weir.test' }, 403],
  ['a browser that tells only the origin, ours', { origin: 'http://weir.test' }, 201],
  ['our page under the address it was asked by', { origin: 'http://10.0.0.5:8080', host: '10.0.0.5:8080' }, 201],
  ['a browser that tells only the origin, another', { origin: 'https://evil.example' }, 403],
  ['a page without an origin, as in a sandbox', { origin: 'null' }, 403],
  ['a request that says nothing of where it comes from', {}, 403],
])('with a session, what changes something is taken from our own pages: %s', async ([, headers, status], { api }) => {
  const { keys } = await api.tenant('vision');
  const { ask } = await signIn(api, keys.member);
  expect((await ask('POST /v1/jobs', { name: 'a', command: 'true' }, headers)).statusCode).toBe(status);
  expect((await ask('GET /v1/jobs', undefined, headers)).statusCode).toBe(200);
});

test('another site can’t sign anybody in, and a bearer key beside the cookie is what counts', async ({ api }) => {
  const { keys } = await api.tenant('vision');
  const foreign = { 'sec-fetch-site': 'cross-site' };
  expect((await api.ask(undefined, 'POST /v1/session', { key: keys.member }, foreign)).statusCode).toBe(403);
  const { cookie } = await signIn(api, keys.viewer);
  const beside = await api.ask(keys.member, 'POST /v1/jobs', { name: 'a', command: 'true' }, { cookie, ...foreign });
  expect(beside.statusCode).toBe(201);
  expect((await api.ask('weir_unknown', 'GET /v1/me', undefined, { cookie })).statusCode).toBe(401);
});

test('after signing out the cookie opens nothing, and other sessions of the key stay', async ({ api }) => {
  const { keys } = await api.tenant('vision');
  const [first, second] = [await signIn(api, keys.member), await signIn(api, keys.member)];
  expect((await first.ask('GET /v1/me')).statusCode).toBe(200);
  const out = await first.ask('DELETE /v1/session');
  expect([out.statusCode, String(out.headers['set-cookie'])]).toEqual([204, expect.stringContaining('weir-session=;')]);
  expect((await first.ask('GET /v1/me')).json().detail).toBe('Your session has ended. Sign in again.');
  expect((await second.ask('GET /v1/me')).statusCode).toBe(200);
});

test('a revoked key ends its sessions at once, also one that was just used', async ({ api }) => {
  const { id, keys } = await api.tenant('vision');
  const { answer, ask } = await signIn(api, keys.member);
  expect((await ask('GET /v1/me')).statusCode).toBe(200);
  await api.ask(keys.admin, `DELETE /v1/tenants/${id}/keys/${answer.json().key.id}`);
  expect((await ask('GET /v1/me')).statusCode).toBe(401);
});

test('a session ends with its time, and with the operator’s key it was opened with', async ({ db }) => {
  let at = new Date();
  const before = await openApp(db, { now: () => at, sessionMs: 60_000 });
  const { ask, cookie } = await signIn(before, operatorKey);
  expect((await ask('GET /v1/tenants')).statusCode).toBe(200);
  const after = await openApp(db, { now: () => at, operatorKey: 'another-operator-key-0123456789' });
  expect((await after.ask(undefined, 'GET /v1/me', undefined, { cookie })).statusCode).toBe(401);
  at = new Date(at.getTime() + 60_000);
  const later = await openApp(db, { now: () => at });
  expect((await later.ask(undefined, 'GET /v1/me', undefined, { cookie })).statusCode).toBe(401);
  for (const app of [before, after, later]) await app.close();
});

test('over HTTPS the cookie is held to this host and to HTTPS', async ({ db }) => {
  const api = await openApp(db, { publicUrl: 'https://weir.test' });
  const { answer, ask } = await signIn(api, operatorKey);
  expect(String(answer.headers['set-cookie'])).toMatch(
    /^__Host-weir-session=[^;]+; Path=\/; .*HttpOnly; Secure; SameSite=Strict$/,
  );
  expect((await ask('GET /v1/me')).statusCode).toBe(200);
  await api.close();
});

test('of a session the database has no token, and the audit says who signed in', async ({ api, db }) => {
  const { cookie, answer } = await signIn(api, operatorKey);
  const token = cookie.slice(cookie.indexOf('=') + 1);
  expect(JSON.stringify(await db.client.session.findMany())).not.toContain(token);
  const { items } = (await api.ask(operatorKey, 'GET /v1/audit')).json();
  expect(items[0]).toMatchObject({ actor: 'operator', action: 'session.create', target: answer.json().session.id });
});
