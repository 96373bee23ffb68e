import { expect } from 'vitest';
import { operatorKey, test } from '../support/app.ts';

test('a policy is set whole, read by its tenant, and kept in versions', async ({ api, db }) => {
  const { id, keys } = await api.tenant('vision');
  expect((await api.ask(keys.viewer, `GET /v1/tenants/${id}/policy`)).json()).toEqual({});
  const policy = { weight: 2, guaranteed: { 'A100-80GB': 8 }, shareCap: { share: 0.35 }, budget: { monthlyUsd: 100 } };
  const put = await api.ask(operatorKey, `PUT /v1/tenants/${id}/policy`, policy);
  expect(put.json()).toEqual({ ...policy, shareCap: { share: 0.35, window: '30d', mode: 'soft' } });
  await api.ask(operatorKey, `PUT /v1/tenants/${id}/policy`, { caps: { accelerators: { cpu: 4 } } });
  expect((await api.ask(keys.viewer, `GET /v1/tenants/${id}/policy`)).json()).toEqual({
    caps: { accelerators: { cpu: 4 } },
  });
  expect(await db.client.policyVersion.count({ where: { tenantId: id } })).toBe(2);
});

test('what a policy can’t mean is named, all of it', async ({ api }) => {
  const { id } = await api.tenant('vision');
  const answer = await api.ask(operatorKey, `PUT /v1/tenants/${id}/policy`, {
    guaranteed: { A200: 1 },
    caps: { accelerators: { 'H100-80GB': 1, 'v5e-8': 1, CPU: 1 } },
    providers: ['gpc'],
    lending: { H100: 2 },
  });
  expect(answer.statusCode).toBe(400);
  expect(answer.json().errors).toMatchObject([
    { pointer: '/guaranteed/A200', detail: expect.stringContaining('Did you mean "A100"?') },
    { pointer: '/caps/accelerators/H100-80GB', detail: expect.stringContaining('Did you mean "H100"?') },
    { pointer: '/caps/accelerators/v5e-8', detail: expect.stringContaining('Did you mean "v5e"?') },
    { pointer: '/caps/accelerators/CPU', detail: expect.stringContaining('Did you mean "cpu"?') },
    { pointer: '/providers/0' },
    { pointer: '/lending/H100' },
  ]);
  const known = { caps: { accelerators: { B200: 8, v6e: 16, cpu: 32 } } };
  expect((await api.ask(operatorKey, `PUT /v1/tenants/${id}/policy`, known)).json()).toEqual(known);
});

test('no tenant stands above itself', async ({ api }) => {
  const above = await api.tenant('lab');
  const below = await api.tenant('team');
  expect((await api.ask(operatorKey, `PUT /v1/tenants/${below.id}/policy`, { parent: above.id })).statusCode).toBe(200);
  for (const parent of [below.id, above.id]) {
    const answer = await api.ask(operatorKey, `PUT /v1/tenants/${above.id}/policy`, { parent });
    expect(answer.json().errors?.[0]?.pointer).toBe('/parent');
  }
  const unknown = await api.ask(operatorKey, `PUT /v1/tenants/${below.id}/policy`, {
    parent: 'tnt_01h455vb4pex5vsknk084sn02q',
  });
  expect(unknown.statusCode).toBe(400);
});

test('the pool’s policy is the operators’', async ({ api }) => {
  const { keys } = await api.tenant('vision');
  expect((await api.ask(operatorKey, 'PUT /v1/pool/policy', { hhiCeiling: 0.5 })).statusCode).toBe(200);
  expect((await api.ask(operatorKey, 'GET /v1/pool/policy')).json()).toEqual({ hhiCeiling: 0.5 });
  expect((await api.ask(keys.admin, 'GET /v1/pool/policy')).statusCode).toBe(403);
});
