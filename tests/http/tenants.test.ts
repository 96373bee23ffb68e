import { expect } from 'vitest';
import { beginPoolPolicy } from '../../src/tenants/policies.ts';
import { openApp, operatorKey, test } from '../support/app.ts';

test('a tenant is made by an operator, found again and listed newest first', async ({ api }) => {
  const made = await api.ask(operatorKey, 'POST /v1/tenants', { name: 'vision' });
  expect(made.statusCode).toBe(201);
  expect(made.json()).toMatchObject({ id: expect.stringMatching(/^tnt_/), name: 'vision' });
  await api.ask(operatorKey, 'POST /v1/tenants', { name: 'speech' });

  expect((await api.ask(operatorKey, `GET /v1/tenants/${made.json().id}`)).json()).toEqual(made.json());
  const first = (await api.ask(operatorKey, 'GET /v1/tenants?limit=1')).json();
  expect(first.items.map(({ name }: { name: string }) => name)).toEqual(['speech']);
  const second = (await api.ask(operatorKey, `GET /v1/tenants?limit=1&cursor=${first.nextCursor}`)).json();
  expect(second).toMatchObject({ items: [{ name: 'vision' }], nextCursor: null });
});

test('a name that is taken is a conflict, and changes nothing', async ({ api }) => {
  await api.ask(operatorKey, 'POST /v1/tenants', { name: 'vision' });
  const again = await api.ask(operatorKey, 'POST /v1/tenants', { name: 'vision' });
  expect(again.statusCode).toBe(409);
  expect(again.json()).toMatchObject({
    type: 'http://weir.test/problems/conflict',
    detail: 'There is a tenant named "vision" already; choose another name.',
  });
  expect((await api.ask(operatorKey, 'GET /v1/tenants')).json().items).toHaveLength(1);
});

test('a limit above 1000 is clamped, not refused; a cursor that no list gave is', async ({ api }) => {
  expect((await api.ask(operatorKey, 'GET /v1/tenants?limit=5000')).statusCode).toBe(200);
  const refused = await api.ask(operatorKey, 'GET /v1/tenants?cursor=%25');
  expect(refused.statusCode).toBe(400);
  expect(refused.json().errors).toEqual([
    { pointer: '?cursor', detail: 'This cursor is not one that a list gave; leave it out to start over.' },
  ]);
});

test('every change is in the audit with who made it, newest first, and no secret is', async ({ api }) => {
  const { id } = (await api.ask(operatorKey, 'POST /v1/tenants', { name: 'vision' })).json();
  await api.ask(operatorKey, `PUT /v1/tenants/${id}/policy`, { weight: 2 });
  await api.ask(operatorKey, `PUT /v1/tenants/${id}/secrets/HF_TOKEN`, { value: 'hf_verysecret' });
  const { key } = (await api.ask(operatorKey, `POST /v1/tenants/${id}/keys`, { role: 'admin' })).json();

  const audit = await api.ask(operatorKey, 'GET /v1/audit');
  expect(audit.json().items.map(({ action, actor }: { action: string; actor: string }) => [action, actor])).toEqual([
    ['key.create', 'operator'],
    ['secret.put', 'operator'],
    ['policy.put', 'operator'],
    ['tenant.create', 'operator'],
  ]);
  expect(audit.json().items[2]).toMatchObject({ tenant: id, before: {}, after: { weight: 2 } });
  expect(audit.body).not.toContain('hf_verysecret');
  expect(audit.body).not.toContain(key);
});

test('the audit is filtered by who, what and when', async ({ api }) => {
  const { id, keys } = await api.tenant('vision');
  const from = new Date().toISOString();
  await api.ask(operatorKey, `PUT /v1/tenants/${id}/policy`, { weight: 2 });
  await api.ask(operatorKey, 'PUT /v1/pool/policy', { hhiCeiling: 0.5 });
  await api.ask(keys.admin, `PUT /v1/tenants/${id}/secrets/A`, { value: 'x' });
  const actionsOf = async (query: string) => {
    const answer = await api.ask(operatorKey, `GET /v1/audit?${query}`);
    expect(answer.statusCode).toBe(200);
    return answer.json<{ items: { action: string }[] }>().items.map(({ action }) => action);
  };
  expect(await actionsOf(`from=${from}`)).toEqual(['secret.put', 'pool-policy.put', 'policy.put']);
  expect(await actionsOf(`to=${from}&action=policy`)).toEqual([]);
  expect(await actionsOf('actor=operator')).toEqual(['pool-policy.put', 'policy.put']);
  expect(await actionsOf('action=policy.put')).toEqual(['policy.put']);
  expect(await actionsOf('action=policy')).toEqual(['policy.put']);
  expect(await actionsOf('target=pool')).toEqual(['pool-policy.put']);
  expect(await actionsOf(`tenant=${id}&action=secret`)).toEqual(['secret.put']);
});

test('a tenant begins with the policy of the configuration, and the pool too, until an operator sets another', async ({
  db,
}) => {
  const firstPolicy = { budget: { monthlyUsd: 500 } };
  const { ask, close } = await openApp(db, { firstPolicy });
  const { id } = (await ask(operatorKey, 'POST /v1/tenants', { name: 'vision' })).json();
  const policy = async (of: string) => (await ask(operatorKey, `GET /v1/${of}/policy`)).json();
  expect(await policy(`tenants/${id}`)).toEqual(firstPolicy);
  await ask(operatorKey, `PUT /v1/tenants/${id}/policy`, { weight: 2 });
  expect(await policy(`tenants/${id}`)).toEqual({ weight: 2 });

  await beginPoolPolicy(db, { halfLife: '3d' });
  expect(await policy('pool')).toEqual({ halfLife: '3d' });
  await ask(operatorKey, 'PUT /v1/pool/policy', { halfLife: '30m' });
  await beginPoolPolicy(db, { halfLife: '3d' });
  expect(await policy('pool')).toEqual({ halfLife: '30m' });

  const { items } = (await ask(operatorKey, 'GET /v1/audit?actor=configuration')).json();
  expect(items.map(({ action, target }: { action: string; target: string }) => [action, target])).toEqual([
    ['pool-policy.put', 'pool'],
    ['policy.put', id],
  ]);
  await close();
});
