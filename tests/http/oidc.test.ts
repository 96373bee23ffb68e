import { afterAll, beforeAll, expect, test as plain } from 'vitest';
import { grantOf, personOf } from '../../src/http/oidc-rules.ts';
import { openApp, test, type TestApp } from '../support/app.ts';
import { freePort } from '../support/free-port.ts';
import { openIdentityProvider, type Claims, type IdentityProvider } from '../support/identity-provider.ts';

/** Who signs in at the provider, by the account that a test lets it be. */
const accounts: Record<string, Claims> = {
  olga: { email: 'olga@example.org', email_verified: true, groups: ['all', 'weir-operators'] },
  vera: { email: 'vera@example.org', email_verified: true, groups: ['vision-team'] },
  nora: { email: 'nora@example.org', email_verified: true, groups: [] },
  lena: { email: 'lena@example.org', email_verified: true, groups: ['speech-team'] },
};
const publicUrl = 'http://weir.test';
let provider: IdentityProvider;

beforeAll(async () => {
  provider = await openIdentityProvider(accounts);
  provider.serve(publicUrl);
});

afterAll(() => provider.close());

const oidc = () => ({
  ...provider.oidc,
  rules: [
    { claim: 'groups', value: 'weir-operators', role: 'operator' as const },
    { claim: 'groups', value: 'vision-team', role: 'member' as const, tenant: 'vision' },
    { claim: 'groups', value: 'speech-team', role: 'viewer' as const, tenant: 'speech' },
  ],
});

const openOidc = (db: Parameters<typeof openApp>[0]) => openApp(db, { publicUrl, oidc: oidc() });

const cookieOf = (answer: { headers: Record<string, unknown> }, name: string) =>
  [answer.headers['set-cookie']]
    .flat()
    .map(String)
    .find((cookie) => cookie.startsWith(`${name}=`))
    ?.split(';', 1)[0] ?? '';

/** As a browser does: to the provider, through its pages, and back with what it gives. */
async function signIn(api: TestApp, account: string, query = '') {
  provider.letIn(account);
  const begun = await api.ask(undefined, `GET /v1/sign-in/oidc${query}`);
  const jar = new Map<string, string>();
  let url = String(begun.headers.location);
  while (!url.startsWith(publicUrl)) {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(url, { redirect: 'manual', headers: { cookie } });
    for (const set of answer.headers.getSetCookie()) {
      const [name = '', value = ''] = set.split(';', 1)[0]?.split(/=(.*)/) ?? [];
      jar.set(name, value);
    }
    url = new URL(answer.headers.get('location') ?? '', url).href;
  }
  const back = url.slice(publicUrl.length);
  const note = cookieOf(begun, 'weir-signing-in');
  const answer = await api.ask(undefined, `GET ${back}`, undefined, { cookie: note });
  const session = cookieOf(answer, 'weir-session');
  return { begun, back, note, answer, me: () => api.ask(undefined, 'GET /v1/me', undefined, { cookie: session }) };
}

test('people sign in at the provider, and get the role and tenant that the first fitting rule gives', async ({
  db,
}) => {
  const api = await openOidc(db);
  const { id } = await api.tenant('vision');
  expect((await api.ask(undefined, 'GET /v1/sign-in')).json()).toEqual({
    oidc: { name: 'Example', url: '/v1/sign-in/oidc' },
  });
  const operator = await signIn(api, 'olga');
  expect([operator.answer.statusCode, operator.answer.headers.location]).toEqual([302, '/']);
  expect((await operator.me()).json()).toMatchObject({
    role: 'operator',
    tenant: null,
    key: null,
    person: 'olga@example.org',
  });
  const member = await signIn(api, 'vera');
  expect((await member.me()).json()).toMatchObject({
    role: 'member',
    tenant: { id, name: 'vision' },
    person: 'vera@example.org',
  });
  const audit = await db.client.audit.findFirst({ where: { action: 'session.create' }, orderBy: { id: 'desc' } });
  expect(audit).toMatchObject({ actor: 'oidc:vera@example.org', tenantId: id });
  await api.close();
});

test('a link leads through the sign-in to the page that it names, and to no other site', async ({ db }) => {
  const api = await openOidc(db);
  const { answer } = await signIn(api, 'olga', `?to=${encodeURIComponent('/jobs?state=failed,cancelled&q=%C3%BC')}`);
  expect(answer.headers.location).toBe('/jobs?state=failed,cancelled&q=%C3%BC');
  for (const to of [
    '//evil.test',
    '/\\evil.test',
    'https://evil.test',
    '/jobs//evil.test',
    '/a\r\nx: y',
    '/%2e%2e',
    '',
  ]) {
    const begun = await api.ask(undefined, `GET /v1/sign-in/oidc?to=${encodeURIComponent(to)}`);
    expect([to, begun.statusCode]).toEqual([to, 400]);
  }
  await api.close();
});

test('where the provider does not answer, the page says so', async ({ db }) => {
  const away = { ...oidc(), issuer: `http://127.0.0.1:${await freePort()}` };
  const api = await openApp(db, { publicUrl, oidc: away });
  const { statusCode, headers } = await api.ask(undefined, 'GET /v1/sign-in/oidc');
  expect([statusCode, headers.location]).toEqual([302, '/?sign-in=unavailable']);
  await api.close();
});

test('who has no role, or one of a tenant that is not there, is sent back without a session', async ({ db }) => {
  const api = await openOidc(db);
  for (const [account, why] of [
    ['nora', 'no-role'],
    ['lena', 'no-tenant'],
  ] as const) {
    // prettier-ignore
    const { answer, me } = await signIn(api, account);
    expect(answer.headers.location).toBe(`/?sign-in=${why}`);
    expect((await me()).statusCode).toBe(401);
  }
  await api.close();
});

test('a code is good once, for the browser that asked for it and with its state', async ({ db }) => {
  const api = await openOidc(db);
  const { back, note, begun } = await signIn(api, 'olga');
  const challenge = new URL(String(begun.headers.location)).searchParams;
  expect([challenge.get('code_challenge_method'), challenge.get('response_type')]).toEqual(['S256', 'code']);
  expect(String(begun.headers['set-cookie'])).toMatch(/HttpOnly; SameSite=Lax$/);
  const other = await signIn(api, 'olga');
  const failing = async (path: string, cookie: string) =>
    (await api.ask(undefined, `GET ${path}`, undefined, { cookie })).headers.location;
  expect(await failing(back, note)).toBe('/?sign-in=failed');
  expect(await failing(other.back, '')).toBe('/?sign-in=failed');
  expect(await failing(other.back, `${note}x`)).toBe('/?sign-in=failed');
  expect(await failing(back, other.note)).toBe('/?sign-in=failed');
  await api.close();
});

plain('a claim fits by its value or by one of its members', () => {
  const rules = oidcRules;
  expect(grantOf({ groups: ['a', 'b'] }, rules)).toEqual({ role: 'viewer', tenant: 't' });
  expect(grantOf({ groups: 'b' }, rules)).toEqual({ role: 'viewer', tenant: 't' });
  expect(grantOf({ groups: ['ab'] }, rules)).toBeUndefined();
  expect(grantOf({}, rules)).toBeUndefined();
});

plain('an e-mail address counts only where the provider has verified it', () => {
  const rules = [{ claim: 'email', value: 'boss@example.org', role: 'operator' as const }];
  const stranger = { sub: 's', email: 'boss@example.org' };
  for (const unverified of [
    stranger,
    { ...stranger, email_verified: false },
    { ...stranger, email_verified: 'false' },
  ]) {
    expect(grantOf(unverified, rules)).toBeUndefined();
    expect(personOf(unverified)).toBe('s');
  }
  for (const email_verified of [true, 'true']) {
    expect(grantOf({ ...stranger, email_verified }, rules)).toMatchObject({ role: 'operator' });
    expect(personOf({ ...stranger, email_verified })).toBe('boss@example.org');
  }
});

const oidcRules = [{ claim: 'groups', value: 'b', role: 'viewer' as const, tenant: 't' }];
