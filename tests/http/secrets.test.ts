import { expect } from 'vitest';
import { test } from '../support/app.ts';

test('a secret is kept encrypted, replaced, listed by name only, and removed', async ({ api, db }) => {
  const { id, keys } = await api.tenant('vision');
  const put = await api.ask(keys.admin, `PUT /v1/tenants/${id}/secrets/HF_TOKEN`, { value: 'hf_one' });
  expect(put.statusCode).toBe(201);
  expect(put.body).not.toContain('hf_one');
  const again = await api.ask(keys.admin, `PUT /v1/tenants/${id}/secrets/HF_TOKEN`, { value: 'hf_two' });
  expect(again.statusCode).toBe(200);
  expect(again.json()).toMatchObject({ name: 'HF_TOKEN', createdAt: put.json().createdAt });
  const [row] = await db.client.secret.findMany();
  expect(Buffer.from(row?.sealed ?? []).toString('latin1')).not.toContain('hf_two');
  expect((await api.ask(keys.admin, `GET /v1/tenants/${id}/secrets`)).json()).toMatchObject({
    items: [{ name: 'HF_TOKEN' }],
    nextCursor: null,
  });
  expect((await api.ask(keys.admin, `DELETE /v1/tenants/${id}/secrets/HF_TOKEN`)).statusCode).toBe(204);
  expect((await api.ask(keys.admin, `DELETE /v1/tenants/${id}/secrets/HF_TOKEN`)).statusCode).toBe(404);
});

test('a name that can’t be an environment variable is refused', async ({ api }) => {
  const { id, keys } = await api.tenant('vision');
  const answer = await api.ask(keys.admin, `PUT /v1/tenants/${id}/secrets/1-bad`, { value: 'x' });
  expect(answer.statusCode).toBe(400);
  expect(answer.json().errors[0].pointer).toBe('{name}');
});
