import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { ReadQuotas } from '../../dispatch/quotas.ts';
import { Id } from '../../protocol/common.ts';
import { Quotas } from '../../protocol/quota.ts';
import '../caller.ts';

export type QuotaRouteDeps = { readQuotas: ReadQuotas };

export function quotaRoutes({ readQuotas }: QuotaRouteDeps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/v1/tenants/:tenant/quotas',
      {
        config: { access: 'viewer' },
        schema: {
          operationId: 'getQuotas',
          tags: ['Tenants'],
          summary: 'What a tenant holds of what it may: quotas, borrowed, lent, caps',
          params: Type.Object({ tenant: Id('tenant') }),
          response: { 200: Quotas },
        },
      },
      ({ params }) => readQuotas(params.tenant),
    );
  };
}
