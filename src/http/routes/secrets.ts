import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Database } from '../../db/database.ts';
import { Id, List, Page } from '../../protocol/common.ts';
import { environmentName } from '../../protocol/job-spec.ts';
import { Secret, SecretValue } from '../../protocol/tenant.ts';
import { deleteSecret, listSecrets, putSecret } from '../../tenants/secrets.ts';
import { pageOf, readCursor } from '../page.ts';

export type SecretRouteDeps = { db: Database; secretKey: Buffer };

const tenantParams = { tenant: Id('tenant') };
const SecretParams = Type.Object({
  ...tenantParams,
  name: Type.String({
    pattern: environmentName,
    maxLength: 255,
    description: 'The environment variable that jobs see.',
  }),
});

const operations = {
  putSecret: {
    operationId: 'putSecret',
    tags: ['Tenants'],
    summary: 'Keep a secret for jobs; its value never comes back',
    params: SecretParams,
    body: SecretValue,
    response: { 200: Secret, 201: Secret },
  },
  listSecrets: {
    operationId: 'listSecrets',
    tags: ['Tenants'],
    summary: 'The names of the secrets',
    params: Type.Object(tenantParams),
    querystring: Page,
    response: { 200: List(Secret, 'SecretList') },
  },
  deleteSecret: {
    operationId: 'deleteSecret',
    tags: ['Tenants'],
    summary: 'Remove a secret',
    params: SecretParams,
    response: { 204: Type.Null() },
  },
};

export function secretRoutes({ db, secretKey }: SecretRouteDeps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.put(
      '/v1/tenants/:tenant/secrets/:name',
      {
        config: { access: 'admin' },
        schema: operations.putSecret,
      },
      async ({ params, body, caller }, reply) => {
        const { secret, isNew } = await putSecret(db, secretKey, {
          tenantId: params.tenant,
          name: params.name,
          value: body.value,
          actor: caller.actor,
        });
        return reply.code(isNew ? 201 : 200).send(secret);
      },
    );
    app.get(
      '/v1/tenants/:tenant/secrets',
      {
        config: { access: 'admin' },
        schema: operations.listSecrets,
      },
      async ({ params, query }) => {
        const page = pageOf(query.limit);
        return page.answer(
          await listSecrets(db.client, { tenantId: params.tenant, after: readCursor(query.cursor), take: page.take }),
          ({ name }) => name,
        );
      },
    );
    app.delete(
      '/v1/tenants/:tenant/secrets/:name',
      {
        config: { access: 'admin' },
        schema: operations.deleteSecret,
      },
      async ({ params, caller }, reply) => {
        await deleteSecret(db, { tenantId: params.tenant, name: params.name, actor: caller.actor });
        return reply.code(204).send(null);
      },
    );
  };
}
