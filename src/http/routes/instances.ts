import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Clock } from '../../core/time.ts';
import type { Database } from '../../db/database.ts';
import { listInstances } from '../../instances/list-store.ts';
import { instanceView } from '../../instances/view.ts';
import { closed, Id, List, Page } from '../../protocol/common.ts';
import { Instance, instanceStates, PoolCapacity } from '../../protocol/instance.ts';
import '../caller.ts';
import { pageOf, readCursor } from '../page.ts';

export type InstanceRouteDeps = { db: Database; now: Clock; poolCapacity: () => Promise<PoolCapacity> };

const InstanceQuery = Type.Object(
  {
    ...Page.properties,
    state: Type.Optional(
      Type.String({
        pattern: `^(${instanceStates.join('|')})(,(${instanceStates.join('|')}))*$`,
        description: `One of ${instanceStates.join(', ')}, or several with commas between. Left out: all but gone.`,
      }),
    ),
    provider: Type.Optional(Type.String()),
    tenant: Type.Optional(Id('tenant', 'Whose. Left out: all.')),
  },
  closed,
);

const operations = {
  listInstances: {
    operationId: 'listInstances',
    tags: ['Operation'],
    summary: 'The machines there are, newest first, with their age and what they cost',
    querystring: InstanceQuery,
    response: { 200: List(Instance, 'InstanceList') },
  },
  getPoolCapacity: {
    operationId: 'getPoolCapacity',
    tags: ['Operation'],
    summary: 'What each provider has, what of it is held, and what could not be had lately',
    response: { 200: PoolCapacity },
  },
};

export function instanceRoutes({ db, now, poolCapacity }: InstanceRouteDeps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/v1/instances',
      { config: { access: 'operator' }, schema: operations.listInstances },
      async ({ query: { limit, cursor, state, provider, tenant: tenantId } }) => {
        const page = pageOf(limit);
        const states = (state?.split(',') ?? ['requested', 'booting', 'ready']) as Instance['state'][];
        const rows = await listInstances(db.client, {
          states,
          provider,
          tenantId,
          after: readCursor(cursor),
          take: page.take,
        });
        const at = now();
        return page.answer(
          rows.map((row) => instanceView(row, at)),
          ({ id }) => id,
        );
      },
    );
    app.get('/v1/pool/capacity', { config: { access: 'operator' }, schema: operations.getPoolCapacity }, () =>
      poolCapacity(),
    );
  };
}
