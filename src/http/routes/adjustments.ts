import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Clock } from '../../core/time.ts';
import type { Database } from '../../db/database.ts';
import { Id } from '../../protocol/common.ts';
import { Adjustment, NewAdjustment } from '../../protocol/share.ts';
import { createAdjustment } from '../../shares/adjustments.ts';

export function adjustmentRoutes({ db, now }: { db: Database; now: Clock }): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.post(
      '/v1/tenants/:tenant/adjustments',
      {
        config: { access: 'operator', idempotent: 'entry' },
        schema: {
          operationId: 'createAdjustment',
          tags: ['Tenants'],
          summary: 'Correct what a tenant owes',
          params: Type.Object({ tenant: Id('tenant') }),
          body: NewAdjustment,
          response: { 201: Adjustment },
        },
      },
      async ({ params, body, caller, newId }, reply) =>
        reply
          .code(201)
          .send(
            await createAdjustment(db, { ...body, id: newId, tenantId: params.tenant, actor: caller.actor, at: now() }),
          ),
    );
  };
}
