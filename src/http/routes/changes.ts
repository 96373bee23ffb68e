import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { followChanges, listChanges } from '../../jobs/changes.ts';
import type { FollowDeps } from '../../logs/follow.ts';
import { Changes } from '../../protocol/job.ts';
import { listedTenant } from '../caller.ts';
import { createEventStreams, lastEventId } from '../event-stream.ts';
import { formatOf } from '../format.ts';

const description = `Which jobs something happened to since \`?after=\`, and when dispatch last looked at the queue; what became of them is read as
ever. Without \`?after=\` it says where to begin. With \`Accept: text/event-stream\` the same as it comes, up to four times a second
and without an end; a client that lost its connection goes on after \`Last-Event-ID\`. An operator is told of all jobs, others of
their tenant's.`;

const ChangesQuery = Type.Object({
  after: Type.Optional(
    Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: 'The seq of the last answer.' }),
  ),
});

export function changeRoutes(deps: FollowDeps): FastifyPluginAsyncTypebox {
  return async (app) => {
    const sendEvents = createEventStreams(app);
    app.get(
      '/v1/changes',
      {
        config: { access: 'viewer' },
        schema: {
          operationId: 'followChanges',
          tags: ['Jobs'],
          summary: 'What changes, live',
          description,
          querystring: ChangesQuery,
          response: {
            200: {
              description: 'Changes.',
              content: { 'application/json': { schema: Changes }, 'text/event-stream': { schema: Changes } },
            },
          },
        },
      },
      async (request, reply) => {
        const tenantId = listedTenant(request.caller);
        if (formatOf(request, ['events']) === 'json')
          return listChanges(deps.db, { tenantId, after: request.query.after ?? -1 });
        const after = lastEventId(request.headers['last-event-id']);
        return sendEvents(reply, {
          follow: (signal) => followChanges(deps, { tenantId, after, signal }),
          end: async () => ({}),
        });
      },
    );
  };
}
