import { expect } from 'vitest';
import { operatorKey, test } from '../support/app.ts';

test('who cancelled a job is told by its event and, once, by the audit', async ({ api }) => {
  const { id: tenant, keys } = await api.tenant('vision');
  const submit = async () => (await api.ask(keys.member, 'POST /v1/jobs', { name: 'train', command: 'true' })).json();
  const [own, foreign] = [await submit(), await submit()];
  for (let turn = 0; turn < 2; turn += 1) {
    await api.ask(keys.member, `POST /v1/jobs/${own.id}/cancel`);
    await api.ask(operatorKey, `POST /v1/jobs/${foreign.id}/cancel`);
  }
  const lastMessage = async (job: string) =>
    (await api.ask(keys.viewer, `GET /v1/jobs/${job}/events`)).json().items.at(-1).message;
  expect([await lastMessage(own.id), await lastMessage(foreign.id)]).toEqual([
    'Cancelled by its tenant.',
    'Cancelled by an operator.',
  ]);
  const { items } = (await api.ask(operatorKey, 'GET /v1/audit?action=job.cancel')).json();
  expect(items).toEqual([
    expect.objectContaining({ actor: 'operator', tenant, target: foreign.id }),
    expect.objectContaining({ actor: expect.stringMatching(/^key_/), tenant, target: own.id }),
  ]);
});
