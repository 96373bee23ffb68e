import { expect } from 'vitest';
import { roles, type Role } from '../../src/protocol/tenant.ts';
import { openApiOf } from '../../src/http/openapi.ts';
import { openApp, test, type TestApp } from '../support/app.ts';

type Operation = { 'x-role'?: Role; security: Record<string, unknown>[] };

/** Whoever adds an open operation says so here, too. */
const open = [
  'GET /healthz',
  'GET /readyz',
  'GET /metrics',
  'POST /v1/runner/claim',
  'POST /v1/runner/stage',
  'POST /v1/session',
  'GET /v1/sign-in',
];

const ids: Record<string, string> = {
  key: 'key_01h455vb4pex5vsknk084sn02q',
  quote: 'qte_01h455vb4pex5vsknk084sn02q',
  job: 'job_01h455vb4pex5vsknk084sn02q',
  id: 'art_01h455vb4pex5vsknk084sn02q',
  delivery: 'dlv_01h455vb4pex5vsknk084sn02q',
  name: 'A',
  index: '0',
  path: 'a',
};

type Listed = {
  name: string;
  request: (tenantId: string) => string;
  role: Role | undefined;
  scheme: string | undefined;
};

function operationsOf({ app }: TestApp): Listed[] {
  const { paths } = openApiOf(app) as { paths: Record<string, Record<string, Operation>> };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { 'x-role': role, security }]) => ({
      name: `${method.toUpperCase()} ${path}`,
      request: (tenantId) =>
        `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, (_all, parameter: string) => (parameter === 'tenant' ? tenantId : (ids[parameter] ?? '')))}`,
      role,
      scheme: Object.keys(security[0] ?? {})[0],
    })),
  );
}

test('without a key, or with one that is not known, every operation but the open ones answers 401', async ({ api }) => {
  const { id } = await api.tenant('vision');
  const answers = new Map<string, number[]>();
  for (const { name, request, scheme } of operationsOf(api)) {
    if (scheme === 'runner') continue;
    answers.set(name, [
      (await api.ask(undefined, request(id))).statusCode,
      (await api.ask('weir_unknown', request(id))).statusCode,
    ]);
  }
  const letIn = [...answers].filter(([, statuses]) => statuses.some((status) => status !== 401)).map(([name]) => name);
  expect(letIn.toSorted()).toEqual(open.toSorted());
});

test('with a session, another site’s page can call no operation that changes something', async ({ api }) => {
  const { id, keys } = await api.tenant('vision');
  const signedIn = await api.ask(undefined, 'POST /v1/session', { key: keys.admin });
  const cookie = String(signedIn.headers['set-cookie']).split(';', 1)[0] ?? '';
  for (const { name, request, role } of operationsOf(api)) {
    if (role === undefined || name.startsWith('GET ')) continue;
    const answer = await api.ask(undefined, request(id), undefined, { cookie, 'sec-fetch-site': 'cross-site' });
    expect([name, answer.statusCode, answer.body]).toEqual([
      name,
      403,
      expect.stringContaining('A session is only for'),
    ]);
  }
});

test('a role below the one an operation needs answers 403, the needed one does not', async ({ api }) => {
  const { id, keys } = await api.tenant('vision');
  for (const { name, request, role } of operationsOf(api)) {
    if (role === undefined) continue;
    for (const below of roles.slice(0, roles.indexOf(role)))
      expect([name, below, (await api.ask(keys[below], request(id))).statusCode]).toEqual([name, below, 403]);
    // After the lower ones, since this one may change things; with no body, it mostly gets no further than its validation.
    const { statusCode } = await api.ask(keys[role], request(id));
    expect([name, [401, 403].includes(statusCode)]).toEqual([name, false]);
    expect([name, statusCode < 500]).toEqual([name, true]);
  }
});

test('what belongs to another tenant is not there', async ({ api }) => {
  const own = await api.tenant('vision');
  const other = await api.tenant('speech');
  const job = (await api.ask(other.keys.member, 'POST /v1/jobs', { name: 'a', command: 'true' })).json();
  const quote = (await api.ask(other.keys.member, 'POST /v1/quotes', { name: 'a', command: 'true' })).json();
  for (const { name, request, role } of operationsOf(api)) {
    if (role === undefined || role === 'operator' || !/\{(tenant|job|quote)\}/.test(name)) continue;
    const foreign = request(other.id)
      .replace(ids['job'] ?? '', job.id)
      .replace(ids['quote'] ?? '', quote.id);
    expect([
      name,
      (await api.ask(own.keys.admin, foreign, name.startsWith('P') ? bodyOf(name) : undefined)).statusCode,
    ]).toEqual([name, 404]);
  }
  expect((await api.ask(other.keys.viewer, `GET /v1/jobs/${job.id}`)).statusCode).toBe(200);
  expect(
    (await api.ask(own.keys.member, `POST /v1/jobs?tenant=${other.id}`, { name: 'a', command: 'true' })).statusCode,
  ).toBe(404);
  expect((await api.ask(own.keys.viewer, 'GET /v1/jobs')).json().items).toEqual([]);
});

function bodyOf(name: string): object | undefined {
  if (name.includes('/secrets/')) return { value: 'x' };
  return name.endsWith('/cancel') ? undefined : {};
}

test('a runner’s operations refuse who has no runner’s token', async ({ db }) => {
  const api = await openApp(db);
  for (const { name, request, scheme } of operationsOf(api)) {
    if (scheme !== 'runner') continue;
    const { statusCode } = await api.ask(undefined, request(''));
    expect([name, statusCode >= 400 && statusCode < 500]).toEqual([name, true]);
  }
  await api.close();
});

test('a route that does not say who may call it keeps the service from starting', async ({ db }) => {
  const api = await openApp(db);
  await api.close();
  const { guard } = await import('../../src/http/auth.ts');
  const { default: fastify } = await import('fastify');
  const app = fastify();
  const nobody = () => undefined;
  guard(app, { keyring: { callerOf: nobody, sessionCallerOf: nobody, isTenant: () => true, forget: nobody } });
  app.get('/forgotten', async () => 'open');
  await expect(app.ready()).rejects.toThrow('GET /forgotten');
});
