import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { WeirError } from '../../core/errors.ts';
import type { Database } from '../../db/database.ts';
import { Id, List, Page } from '../../protocol/common.ts';
import { CreatedKey, Key, NewKey, roles, type Role } from '../../protocol/tenant.ts';
import { createKey, listKeys, revokeKey } from '../../tenants/keys.ts';
import { hasRole, type Caller } from '../caller.ts';
import { pageOf, readCursor } from '../page.ts';

export type KeyRouteDeps = { db: Database; forgetKey: (keyId: string) => void };

const tenantParams = { tenant: Id('tenant') };

const operations = {
  createKey: {
    operationId: 'createKey',
    tags: ['Tenants'],
    summary: 'Make a key; it is shown this once',
    params: Type.Object(tenantParams),
    body: NewKey,
    response: { 201: CreatedKey },
  },
  listKeys: {
    operationId: 'listKeys',
    tags: ['Tenants'],
    summary: 'List keys, newest first, the revoked among them',
    params: Type.Object(tenantParams),
    querystring: Page,
    response: { 200: List(Key, 'KeyList') },
  },
  revokeKey: {
    operationId: 'revokeKey',
    tags: ['Tenants'],
    summary: 'Revoke a key; again is the same',
    params: Type.Object({ ...tenantParams, key: Id('key') }),
    response: { 204: Type.Null() },
  },
};

export function keyRoutes({ db, forgetKey }: KeyRouteDeps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.post(
      '/v1/tenants/:tenant/keys',
      {
        config: { access: 'admin', idempotent: 'key' },
        schema: operations.createKey,
      },
      async ({ params, body: { role = 'member', label = null }, caller, newId }, reply) => {
        if (!hasRole(caller, role))
          throw new WeirError('forbidden', `A key with the role ${caller.role} can't make one with the role ${role}.`);
        return reply
          .code(201)
          .send(await createKey(db, { id: newId, tenantId: params.tenant, role, label, actor: caller.actor }));
      },
    );
    app.get(
      '/v1/tenants/:tenant/keys',
      {
        config: { access: 'admin' },
        schema: operations.listKeys,
      },
      async ({ params, query, caller }) => {
        const page = pageOf(query.limit);
        const filter = {
          tenantId: params.tenant,
          roles: rolesSeenBy(caller),
          after: readCursor(query.cursor),
          take: page.take,
        };
        return page.answer(await listKeys(db.client, filter), ({ id }) => id);
      },
    );
    app.delete(
      '/v1/tenants/:tenant/keys/:key',
      {
        config: { access: 'admin' },
        schema: operations.revokeKey,
      },
      async ({ params, caller }, reply) => {
        await revokeKey(db, {
          id: params.key,
          tenantId: params.tenant,
          roles: rolesSeenBy(caller),
          actor: caller.actor,
        });
        forgetKey(params.key);
        return reply.code(204).send(null);
      },
    );
  };
}

/** Operators' keys are not a tenant's business. */
function rolesSeenBy(caller: Caller): Role[] {
  return roles.filter((role) => hasRole(caller, role));
}
