import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Database } from '../../db/database.ts';
import { closed, List, Page } from '../../protocol/common.ts';
import { AuditEntry } from '../../protocol/tenant.ts';
import { listAudit } from '../../tenants/audit.ts';
import { TenantQuery } from '../caller.ts';
import { pageOf, readCursor } from '../page.ts';

const AuditQuery = Type.Object({ ...Page.properties, ...TenantQuery }, closed);

export function auditRoutes({ db }: { db: Database }): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/v1/audit',
      {
        config: { access: 'operator' },
        schema: {
          operationId: 'listAudit',
          tags: ['Operation'],
          summary: 'Who changed what, newest first',
          querystring: AuditQuery,
          response: { 200: List(AuditEntry, 'AuditList') },
        },
      },
      async ({ query }) => {
        const page = pageOf(query.limit);
        return page.answer(
          await listAudit(db.client, { tenantId: query.tenant, after: readCursor(query.cursor), take: page.take }),
          ({ id }) => id,
        );
      },
    );
  };
}
