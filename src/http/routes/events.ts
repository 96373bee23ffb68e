import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { followEvents, type FollowDeps } from '../../logs/follow.ts';
import { readEvents, readHead } from '../../logs/store.ts';
import { List, Page } from '../../protocol/common.ts';
import { JobEvent } from '../../protocol/job.ts';
import { createEventStreams, lastEventId } from '../event-stream.ts';
import { formatOf } from '../format.ts';
import { pageOf, seqAfter } from '../page.ts';
import { JobParams, requireHead } from './logs.ts';

const description = `One page, oldest first. With \`Accept: text/event-stream\` the events as they come, each with its seq as id, after
\`Last-Event-ID\`; after the job's end comes \`event: end\`, and the connection closes.`;

export function eventRoutes(deps: FollowDeps): FastifyPluginAsyncTypebox {
  const { db } = deps;
  return async (app) => {
    const sendEvents = createEventStreams(app);
    const content = {
      'application/json': { schema: List(JobEvent, 'JobEventList') },
      'text/event-stream': { schema: JobEvent },
    };
    app.get(
      '/v1/jobs/:job/events',
      {
        config: { access: 'viewer' },
        schema: {
          operationId: 'listJobEvents',
          tags: ['Jobs'],
          summary: 'What happened to the job',
          description,
          params: JobParams,
          querystring: Page,
          response: { 200: { description: 'Events.', content } },
        },
      },
      async (request, reply) => {
        const { query, caller } = request;
        const jobId = request.params.job;
        await requireHead(deps, caller, jobId);
        if (formatOf(request, ['events']) === 'events') {
          const after = lastEventId(request.headers['last-event-id']);
          return sendEvents(reply, {
            follow: (signal) => followEvents(deps, { jobId, after, signal }),
            end: async () => ({ state: (await readHead(db, jobId))?.state }),
          });
        }
        const page = pageOf(query.limit);
        const events = await readEvents(db, jobId, seqAfter(query.cursor), page.take);
        return page.answer(events, ({ seq }) => String(seq));
      },
    );
  };
}
