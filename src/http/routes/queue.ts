import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { createReadQueue, type QueueDeps } from '../../dispatch/queue.ts';
import { closed, Id, Page } from '../../protocol/common.ts';
import { Queue } from '../../protocol/queue.ts';
import { listedTenant } from '../caller.ts';
import { pageOf, readCursor, writeCursor } from '../page.ts';

const QueueQuery = Type.Object(
  {
    ...Page.properties,
    tenant: Type.Optional(
      Id('tenant', 'For operators: whose queue, page by page. Left out: of each tenant those that come next.'),
    ),
  },
  closed,
);

export function queueRoutes(deps: QueueDeps): FastifyPluginAsyncTypebox {
  const readQueue = createReadQueue(deps);
  return async (app) => {
    app.get(
      '/v1/queue',
      {
        config: { access: 'viewer' },
        schema: {
          operationId: 'getQueue',
          tags: ['Jobs'],
          summary: 'The jobs that wait, in order, each with why it is ahead of the next',
          description: `An operator sees of all tenants the jobs that come next, in the order of their expected starts; a tenant, or an operator
with \`?tenant=\`, one queue in its own order.`,
          querystring: QueueQuery,
          response: { 200: Queue },
        },
      },
      async ({ caller, query }) => {
        const { limit } = pageOf(query.limit);
        const tenantId = listedTenant(caller, query.tenant);
        const { lastId, ...queue } = await readQueue({ tenantId, after: readCursor(query.cursor), limit });
        return { ...queue, nextCursor: lastId === undefined ? null : writeCursor(lastId) };
      },
    );
  };
}
