import { Webhook } from 'standardwebhooks';
import { expect } from 'vitest';
import { newId } from '../../src/core/ids.ts';
import type { Database } from '../../src/db/database.ts';
import type { WebhookDelivery } from '../../src/protocol/webhook.ts';
import { createDeliver } from '../../src/webhooks/deliver.ts';
import { createPost } from '../../src/webhooks/post.ts';
import { signingSecret } from '../../src/webhooks/signature.ts';
import { listDue } from '../../src/webhooks/store.ts';
import { test, type TestApp } from '../support/app.ts';
import { startReceiver } from './receiver.ts';

const secretKey = Buffer.alloc(32, 7);
const loopback = ['127.0.0.1'];

/** The worker's part: tries everything that is due at that time. */
function deliverer(db: Database, allowedAddresses = loopback) {
  return async (now: Date): Promise<void> => {
    const deliver = createDeliver({ db, now: () => now, secretKey, post: createPost(allowedAddresses) });
    for (const id of await listDue(db.client, now)) await deliver(id);
  };
}

async function submitted(api: TestApp, webhooks: unknown[]) {
  const { id, keys } = await api.tenant('vision');
  const answer = await api.ask(keys.member, 'POST /v1/jobs', { name: 'train', command: 'true', webhooks });
  expect(answer.statusCode).toBe(201);
  const job: string = answer.json().id;
  const deliveries = async (): Promise<WebhookDelivery[]> =>
    (await api.ask(keys.viewer, `GET /v1/jobs/${job}/webhooks`)).json().items;
  return { tenantId: id, keys, job, deliveries };
}

const later = (minutes: number) => new Date(Date.now() + minutes * 60_000);

test('each change of a job is posted once, signed as Standard Webhooks says', async ({ api, db }) => {
  const receiver = await startReceiver(() => ({ status: 204 }));
  const { tenantId, keys, job, deliveries } = await submitted(api, [{ url: `${receiver.url}/hook?team=a` }]);
  const deliver = deliverer(db);
  await deliver(new Date());
  await api.ask(keys.member, `POST /v1/jobs/${job}/cancel`);
  await deliver(new Date());
  await deliver(later(600));
  await receiver.close();

  const verifier = new Webhook(signingSecret(secretKey, tenantId));
  const messages = receiver.received.map(({ body, headers }) =>
    verifier.verify(body, headers as Record<string, string>),
  );
  expect(receiver.received.map(({ path }) => path)).toEqual(['/hook?team=a', '/hook?team=a']);
  expect(messages).toMatchObject([
    { type: 'job.queued', data: { job, tenant: tenantId, name: 'train', state: 'queued' } },
    { type: 'job.finished', data: { job, state: 'cancelled', reason: 'cancelled' } },
  ]);
  const delivered = { state: 'delivered', tries: 1, lastStatus: 204 };
  expect(await deliveries()).toMatchObject([delivered, delivered]);
});

test('a signature of another tenant’s secret does not verify', async ({ api, db }) => {
  const receiver = await startReceiver(() => ({ status: 200 }));
  await submitted(api, [{ url: receiver.url }]);
  await deliverer(db)(new Date());
  await receiver.close();
  const [first] = receiver.received;
  const other = new Webhook(signingSecret(secretKey, newId('tenant')));
  expect(() => other.verify(first?.body ?? '', first?.headers as Record<string, string>)).toThrow('signature');
});

test('what is not taken is tried again later, with the same id and body', async ({ api, db }) => {
  const receiver = await startReceiver((nth) => ({ status: nth === 1 ? 503 : 200 }));
  const { deliveries } = await submitted(api, [{ url: receiver.url, events: ['job.queued'] }]);
  const deliver = deliverer(db);
  await deliver(new Date());
  expect(await deliveries()).toMatchObject([{ state: 'pending', tries: 1, lastStatus: 503 }]);
  await deliver(new Date());
  expect(receiver.received).toHaveLength(1);
  await deliver(later(1));
  await receiver.close();
  expect(await deliveries()).toMatchObject([{ state: 'delivered', tries: 2, lastStatus: 200, nextTryAt: null }]);
  const [first, second] = receiver.received;
  expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
  expect(second?.body).toBe(first?.body);
});

test('an address that says it is gone is not asked again', async ({ api, db }) => {
  const receiver = await startReceiver(() => ({ status: 410 }));
  const { deliveries } = await submitted(api, [{ url: receiver.url }]);
  await deliverer(db)(new Date());
  await deliverer(db)(later(10_000));
  await receiver.close();
  expect(await deliveries()).toMatchObject([{ state: 'failed', tries: 1, lastStatus: 410 }]);
});

test('a redirect is not followed', async ({ api, db }) => {
  const receiver = await startReceiver(() => ({ status: 302, location: '/elsewhere' }));
  const { deliveries } = await submitted(api, [{ url: receiver.url }]);
  await deliverer(db)(new Date());
  await receiver.close();
  expect(await deliveries()).toMatchObject([{ state: 'pending', lastStatus: 302 }]);
  expect(receiver.received.map(({ path }) => path)).toEqual(['/']);
});

test('an address inside is not reached, neither by number nor by name', async ({ api, db }) => {
  const receiver = await startReceiver(() => ({ status: 200 }));
  const { port } = new URL(receiver.url);
  const inside = ['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]', '2130706433', '169.254.169.254', '10.0.0.1'];
  const { deliveries } = await submitted(
    api,
    inside.map((host) => ({ url: `http://${host}:${port}/` })),
  );
  await deliverer(db, [])(new Date());
  await receiver.close();
  expect(receiver.received).toEqual([]);
  const all = await deliveries();
  expect(all).toHaveLength(inside.length);
  for (const { lastStatus, lastError } of all) {
    expect(lastStatus).toBeNull();
    expect(lastError).toContain('is not allowed');
  }
});

test('a delivery can be sent again, by who may submit', async ({ api, db }) => {
  const receiver = await startReceiver(() => ({ status: 200 }));
  const { keys, job, deliveries } = await submitted(api, [{ url: receiver.url }]);
  await deliverer(db)(new Date());
  const [first] = await deliveries();
  const replay = `POST /v1/jobs/${job}/webhooks/${first?.id}/replay`;
  expect((await api.ask(keys.viewer, replay)).statusCode).toBe(403);
  expect((await api.ask(keys.member, replay)).json()).toMatchObject({ id: first?.id, state: 'pending', tries: 0 });
  await deliverer(db)(later(1));
  await receiver.close();
  expect(receiver.received).toHaveLength(2);
  const missing = await api.ask(keys.member, `POST /v1/jobs/${job}/webhooks/${newId('delivery')}/replay`);
  expect(missing.statusCode).toBe(404);
});

test('addresses with a password or of another scheme, and events that do not exist, are refused', async ({ api }) => {
  const { keys } = await api.tenant('vision');
  const webhooks = [
    { url: 'https://user:secret@example.org/' },
    { url: 'ftp://example.org/' },
    { url: 'https://example.org/', events: ['job.finish'] },
  ];
  const answer = await api.ask(keys.member, 'POST /v1/jobs', { name: 'b', command: 'true', webhooks });
  expect(answer.statusCode).toBe(400);
  const pointers = answer.json().errors.map(({ pointer }: { pointer: string }) => pointer);
  expect(pointers).toEqual(['/webhooks/0/url', '/webhooks/1/url', '/webhooks/2/events/0']);
});

test('of what is due each tenant has its turn, however much another has due longer', async ({ api, db }) => {
  const quiet = await submitted(api, [{ url: 'https://example.org/' }]);
  const [own] = await quiet.deliveries();
  const { id: tenantId } = await api.tenant('loud');
  const body = JSON.stringify(own?.message);
  const long = new Date(Date.now() - 60_000);
  const data = Array.from({ length: 1000 }, () => ({ id: newId('delivery'), jobId: quiet.job, tenantId, url: 'https://example.org/', type: 'job.queued', body, createdAt: long, nextTryAt: long })); // prettier-ignore
  await db.client.webhookDelivery.createMany({ data });
  const due = await listDue(db.client, new Date());
  expect(due.slice(0, 2)).toContain(own?.id);
  expect(due).toHaveLength(100);
});
