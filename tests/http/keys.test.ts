import { expect } from 'vitest';
import { operatorKey, test } from '../support/app.ts';

test('a new key works at once, and its secret is stored nowhere', async ({ api, db }) => {
  const { id, keys } = await api.tenant('vision');
  const made = await api.ask(keys.admin, `POST /v1/tenants/${id}/keys`, { role: 'viewer', label: 'dashboard' });
  expect(made.statusCode).toBe(201);
  const { key } = made.json();
  expect(key).toMatch(/^weir_/);
  expect((await api.ask(key, `GET /v1/tenants/${id}/policy`)).statusCode).toBe(200);
  expect(JSON.stringify(await db.client.apiKey.findMany())).not.toContain(key.slice('weir_'.length));
  expect((await api.ask(keys.admin, `GET /v1/tenants/${id}/keys`)).body).not.toContain(key);
});

test('a revoked key is refused at once, also one that was just used; revoking again is the same', async ({ api }) => {
  const { id, keys } = await api.tenant('vision');
  const made = (await api.ask(keys.admin, `POST /v1/tenants/${id}/keys`, { role: 'member' })).json();
  expect((await api.ask(made.key, 'GET /v1/jobs')).statusCode).toBe(200);
  expect((await api.ask(keys.admin, `DELETE /v1/tenants/${id}/keys/${made.id}`)).statusCode).toBe(204);
  expect((await api.ask(made.key, 'GET /v1/jobs')).statusCode).toBe(401);
  expect((await api.ask(keys.admin, `DELETE /v1/tenants/${id}/keys/${made.id}`)).statusCode).toBe(204);
});

test('only an operator makes an operator’s key, and a tenant’s admin neither sees nor revokes it', async ({ api }) => {
  const { id, keys } = await api.tenant('vision');
  expect((await api.ask(keys.admin, `POST /v1/tenants/${id}/keys`, { role: 'operator' })).statusCode).toBe(403);
  const made = (await api.ask(operatorKey, `POST /v1/tenants/${id}/keys`, { role: 'operator' })).json();
  expect((await api.ask(keys.admin, `GET /v1/tenants/${id}/keys`)).body).not.toContain(made.id);
  expect((await api.ask(keys.admin, `DELETE /v1/tenants/${id}/keys/${made.id}`)).statusCode).toBe(404);
  expect((await api.ask(made.key, 'GET /v1/tenants')).statusCode).toBe(200);
});

test('a key with a changed secret, of another form or of no row is unknown', async ({ api }) => {
  const { keys } = await api.tenant('vision');
  const changed = keys.member.slice(0, -1) + (keys.member.endsWith('A') ? 'B' : 'A');
  for (const key of [changed, 'weir_x', 'x', `${operatorKey}x`]) {
    const answer = await api.ask(key, 'GET /v1/jobs');
    expect(answer.statusCode).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('Bearer');
  }
});

test('an operator names the tenant it acts for, and one that is not there is not found', async ({ api }) => {
  const { id } = await api.tenant('vision');
  const nameless = await api.ask(operatorKey, 'POST /v1/jobs', { name: 'a', command: 'true' });
  expect(nameless.statusCode).toBe(400);
  expect(nameless.json().errors[0].pointer).toBe('?tenant');
  const made = await api.ask(operatorKey, `POST /v1/jobs?tenant=${id}`, { name: 'a', command: 'true' });
  expect(made.json()).toMatchObject({ tenant: id });
  const unknown = await api.ask(operatorKey, 'POST /v1/jobs?tenant=tnt_01h455vb4pex5vsknk084sn02q', {
    name: 'a',
    command: 'true',
  });
  expect(unknown.statusCode).toBe(404);
});

test('an operator’s key sees every tenant’s rows, whichever tenant it was made for', async ({ api }) => {
  const [a, b] = [await api.tenant('vision'), await api.tenant('speech')];
  for (const { keys } of [a, b]) await api.ask(keys.member, 'POST /v1/jobs', { name: 'train', command: 'true' });
  const { key } = (await api.ask(operatorKey, `POST /v1/tenants/${a.id}/keys`, { role: 'operator' })).json();
  const tenantsIn = async (query: string, as: string) =>
    (await api.ask(as, `GET /v1/jobs${query}`)).json().items.map(({ tenant }: { tenant: string }) => tenant);
  for (const query of ['', `?tenant=${b.id}`])
    expect(await tenantsIn(query, key)).toEqual(await tenantsIn(query, operatorKey));
  expect(await tenantsIn('', key)).toEqual([b.id, a.id]);
  expect(await tenantsIn('', a.keys.admin)).toEqual([a.id]);
  const changes = (await api.ask(key, 'GET /v1/changes?after=0')).json();
  expect(changes.jobs.map(({ tenant }: { tenant: string }) => tenant)).toEqual(expect.arrayContaining([a.id, b.id]));
});
