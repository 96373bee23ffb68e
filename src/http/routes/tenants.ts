import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Database } from '../../db/database.ts';
import { Id, List, Page } from '../../protocol/common.ts';
import { NewTenant, Tenant, type Policy } from '../../protocol/tenant.ts';
import { createTenant, listTenants, requireTenant } from '../../tenants/tenants.ts';
import { pageOf, readCursor } from '../page.ts';

export type TenantRouteDeps = {
  db: Database;
  /** Of each new tenant; undefined: nothing limits it. */
  firstPolicy: Policy | undefined;
};

export function tenantRoutes({ db, firstPolicy }: TenantRouteDeps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.post(
      '/v1/tenants',
      {
        config: { access: 'operator', idempotent: 'tenant' },
        schema: {
          operationId: 'createTenant',
          tags: ['Tenants'],
          summary: 'Make a tenant',
          body: NewTenant,
          response: { 201: Tenant },
        },
      },
      async ({ body, caller, newId }, reply) =>
        reply
          .code(201)
          .send(await createTenant(db, { id: newId, name: body.name, actor: caller.actor, policy: firstPolicy })),
    );
    app.get(
      '/v1/tenants',
      {
        config: { access: 'operator' },
        schema: {
          operationId: 'listTenants',
          tags: ['Tenants'],
          summary: 'List tenants, newest first',
          querystring: Page,
          response: { 200: List(Tenant, 'TenantList') },
        },
      },
      async ({ query }) => {
        const page = pageOf(query.limit);
        return page.answer(
          await listTenants(db.client, { after: readCursor(query.cursor), take: page.take }),
          ({ id }) => id,
        );
      },
    );
    app.get(
      '/v1/tenants/:tenant',
      {
        config: { access: 'operator' },
        schema: {
          operationId: 'getTenant',
          tags: ['Tenants'],
          summary: 'A tenant',
          params: Type.Object({ tenant: Id('tenant') }),
          response: { 200: Tenant },
        },
      },
      ({ params }) => requireTenant(db.client, params.tenant),
    );
  };
}
