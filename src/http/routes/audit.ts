import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Database } from '../../db/database.ts';
import { closed, Id, List, Page, Time } from '../../protocol/common.ts';
import { AuditEntry } from '../../protocol/tenant.ts';
import { listAudit } from '../../tenants/audit.ts';
import '../caller.ts';
import { pageOf, readCursor } from '../page.ts';

const AuditQuery = Type.Object(
  {
    ...Page.properties,
    tenant: Type.Optional(Id('tenant', 'About which tenant. Left out: all, and the pool.')),
    actor: Type.Optional(Type.String({ description: 'Who did it: the id of a key, operator, or oidc: and a person.' })),
    action: Type.Optional(Type.String({ description: 'Such as policy.put; policy for all that starts so.' })),
    target: Type.Optional(Type.String({ description: 'The id of what was changed.' })),
    from: Type.Optional(Time('Not before.')),
    to: Type.Optional(Time('Before.')),
  },
  closed,
);

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
        const { tenant: tenantId, actor, action, target, from, to, cursor } = query;
        const filter = { tenantId, actor, action, target, from: dateOf(from), to: dateOf(to) };
        const entries = await listAudit(db.client, { ...filter, after: readCursor(cursor), take: page.take });
        return page.answer(entries, ({ id }) => id);
      },
    );
  };
}

function dateOf(text: string | undefined): Date | undefined {
  return text === undefined ? undefined : new Date(text);
}
