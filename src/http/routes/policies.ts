import type { BucketRegions } from '../../artifacts/residence.ts';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Database } from '../../db/database.ts';
import { Id } from '../../protocol/common.ts';
import { Policy, PoolPolicy } from '../../protocol/tenant.ts';
import { currentPolicy, currentPoolPolicy, putPolicy, putPoolPolicy } from '../../tenants/policies.ts';

export type PolicyRouteDeps = {
  db: Database;
  /** The names of all providers that there are, connected or not. */
  providerNames: readonly string[];
  /** Where artifacts are kept, as far as it is known. */
  bucketRegions: BucketRegions;
  /** Called when a tenant's policy has changed, with null when the pool's has. */
  forgetPolicy: (tenantId: string | null) => void;
};

const TenantParams = Type.Object({ tenant: Id('tenant') });

const operations = {
  putPolicy: {
    operationId: 'putPolicy',
    tags: ['Tenants'],
    summary: 'Set a tenant’s whole policy',
    params: TenantParams,
    body: Policy,
    response: { 200: Policy },
  },
  getPolicy: {
    operationId: 'getPolicy',
    tags: ['Tenants'],
    summary: 'A tenant’s policy; empty where nothing limits it',
    params: TenantParams,
    response: { 200: Policy },
  },
  putPoolPolicy: {
    operationId: 'putPoolPolicy',
    tags: ['Shares'],
    summary: 'Set the pool’s policy',
    body: PoolPolicy,
    response: { 200: PoolPolicy },
  },
  getPoolPolicy: {
    operationId: 'getPoolPolicy',
    tags: ['Shares'],
    summary: 'The pool’s policy',
    response: { 200: PoolPolicy },
  },
};

export function policyRoutes({
  db,
  providerNames,
  bucketRegions,
  forgetPolicy,
}: PolicyRouteDeps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.put(
      '/v1/tenants/:tenant/policy',
      {
        config: { access: 'operator' },
        schema: operations.putPolicy,
      },
      async ({ params, body, caller }) => {
        const policy = await putPolicy(db, {
          tenantId: params.tenant,
          policy: body,
          actor: caller.actor,
          providers: providerNames,
          bucketRegions,
        });
        forgetPolicy(params.tenant);
        return policy;
      },
    );
    app.get(
      '/v1/tenants/:tenant/policy',
      {
        config: { access: 'viewer' },
        schema: operations.getPolicy,
      },
      ({ params }) => currentPolicy(db.client, params.tenant),
    );
    app.put(
      '/v1/pool/policy',
      {
        config: { access: 'operator' },
        schema: operations.putPoolPolicy,
      },
      async ({ body, caller }) => {
        const policy = await putPoolPolicy(db, body, caller.actor);
        forgetPolicy(null);
        return policy;
      },
    );
    app.get(
      '/v1/pool/policy',
      {
        config: { access: 'operator' },
        schema: operations.getPoolPolicy,
      },
      () => currentPoolPolicy(db.client),
    );
  };
}
