import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { closed, Id, List, Page } from '../../protocol/common.ts';
import { StatementLine, Usage } from '../../protocol/share.ts';
import { readUsage } from '../../shares/shares.ts';
import { listStatement } from '../../shares/store.ts';
import { pageOf, readCursor } from '../page.ts';
import { WindowField, type ShareRouteDeps } from './shares.ts';

const TenantParams = Type.Object({ tenant: Id('tenant') });
const UsageQuery = Type.Object(
  {
    window: WindowField,
    bucket: Type.Optional(Type.Enum(['hour', 'day'], { description: 'Left out: hours up to a week, else days.' })),
  },
  closed,
);

export function statementRoutes({ db, now, petaflopsPerAccelerator }: ShareRouteDeps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/v1/tenants/:tenant/statement',
      {
        config: { access: 'viewer' },
        schema: {
          operationId: 'listStatement',
          tags: ['Tenants'],
          summary: 'The money ledger, oldest first',
          params: TenantParams,
          querystring: Page,
          response: { 200: List(StatementLine, 'Statement') },
        },
      },
      async ({ params, query }) => {
        const page = pageOf(query.limit);
        const after = readCursor(query.cursor);
        return page.answer(
          await listStatement(db.client, params.tenant, {
            limit: page.take,
            ...(after === undefined ? {} : { after }),
          }),
          ({ id }) => id,
        );
      },
    );
    app.get(
      '/v1/tenants/:tenant/usage',
      {
        config: { access: 'viewer' },
        schema: {
          operationId: 'getUsage',
          tags: ['Tenants'],
          summary: 'Compute used, by hour or day',
          params: TenantParams,
          querystring: UsageQuery,
          response: { 200: Usage },
        },
      },
      ({ params, query: { window = '30d', bucket } }) =>
        readUsage(
          { sql: db.client, now: now(), petaflopsPerAccelerator },
          { tenantId: params.tenant, window, ...(bucket === undefined ? {} : { bucket }) },
        ),
    );
  };
}
