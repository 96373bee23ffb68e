import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { notFound } from '../../core/errors.ts';
import type { Clock } from '../../core/time.ts';
import type { Database } from '../../db/database.ts';
import { Id, List, Page } from '../../protocol/common.ts';
import { WebhookDelivery, type DeliveryState, type WebhookMessage } from '../../protocol/webhook.ts';
import { signingSecret } from '../../webhooks/signature.ts';
import { listDeliveries, replayDelivery, type DeliveryRow } from '../../webhooks/store.ts';
import { pageOf, readCursor } from '../page.ts';
import { JobParams, requireHead } from './logs.ts';

export type WebhookRouteDeps = { db: Database; now: Clock; secretKey: Buffer };

const operations = {
  listWebhookDeliveries: {
    operationId: 'listWebhookDeliveries',
    tags: ['Jobs'],
    summary: 'What the job’s webhooks were sent, and how that went',
    params: JobParams,
    querystring: Page,
    response: { 200: List(WebhookDelivery, 'WebhookDeliveryList') },
  },
  replayWebhookDelivery: {
    operationId: 'replayWebhookDelivery',
    tags: ['Jobs'],
    summary: 'Send it again, with the same id and body',
    params: Type.Object({ ...JobParams.properties, delivery: Id('delivery') }),
    response: { 200: WebhookDelivery },
  },
  getWebhookSecret: {
    operationId: 'getWebhookSecret',
    tags: ['Tenants'],
    summary: 'The secret that signs what the tenant’s webhooks are sent',
    description:
      'Signed as the Standard Webhooks specification says (webhook-id, webhook-timestamp, webhook-signature): give it to a library of that name to verify what comes.',
    params: Type.Object({ tenant: Id('tenant') }),
    response: {
      200: Type.Object(
        { secret: Type.String({ pattern: '^whsec_' }) },
        { additionalProperties: false, title: 'WebhookSecret' },
      ),
    },
  },
};

export function webhookRoutes({ db, now, secretKey }: WebhookRouteDeps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/v1/jobs/:job/webhooks',
      { config: { access: 'viewer' }, schema: operations.listWebhookDeliveries },
      async ({ params: { job }, query, caller }) => {
        await requireHead({ db }, caller, job);
        const page = pageOf(query.limit);
        const rows = await listDeliveries(db.client, job, readCursor(query.cursor), page.take);
        const { items, nextCursor } = page.answer(rows, ({ id }) => id);
        return { items: items.map(deliveryView), nextCursor };
      },
    );
    app.post(
      '/v1/jobs/:job/webhooks/:delivery/replay',
      { config: { access: 'member' }, schema: operations.replayWebhookDelivery },
      async ({ params: { job, delivery }, caller }) => {
        await requireHead({ db }, caller, job);
        const row = await replayDelivery(db, job, delivery, now());
        if (row === undefined) throw notFound('delivery', delivery);
        return deliveryView(row);
      },
    );
    app.get(
      '/v1/tenants/:tenant/webhook-secret',
      { config: { access: 'admin' }, schema: operations.getWebhookSecret },
      async ({ params: { tenant } }) => ({ secret: signingSecret(secretKey, tenant) }),
    );
  };
}

function deliveryView(row: DeliveryRow): WebhookDelivery {
  return {
    id: row.id,
    url: row.url,
    message: JSON.parse(row.body) as WebhookMessage,
    state: row.state as DeliveryState,
    tries: row.tries,
    lastStatus: row.lastStatus,
    lastError: row.lastError,
    createdAt: row.createdAt.toISOString(),
    nextTryAt: row.state === 'pending' ? row.nextTryAt.toISOString() : null,
    deliveredAt: row.deliveredAt?.toISOString() ?? null,
  };
}
