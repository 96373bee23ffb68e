import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { notFound } from '../../core/errors.ts';
import { followLines, type FollowDeps } from '../../logs/follow.ts';
import { readLines, readSomeLines } from '../../logs/read.ts';
import { readHead, type Head } from '../../logs/store.ts';
import { Id, List, Page } from '../../protocol/common.ts';
import { LogLine } from '../../protocol/job.ts';
import { sees, type Caller } from '../caller.ts';
import { createEventStreams, lastEventId } from '../event-stream.ts';
import { contentTypeOf, formatOf } from '../format.ts';
import { pageOf, seqAfter } from '../page.ts';
import { streamOf } from '../text-stream.ts';

export const JobParams = Type.Object({ job: Id('job') });
const LogQuery = Type.Object({
  ...Page.properties,
  format: Type.Optional(Type.Enum(['json', 'text'], { description: 'Left out: as Accept says.' })),
  tail: Type.Optional(
    Type.Integer({
      minimum: 0,
      description: 'No lines before the last so many of those there are now. Left out: all.',
    }),
  ),
});

const description = `One page of lines. With \`Accept: text/plain\` or \`?format=text\` the text of the whole log so far. With \`Accept: text/event-stream\` the
lines as they come, each an event whose id is its seq and whose data is a LogLine; a client that lost its connection goes on after
\`Last-Event-ID\`; after the job's end comes \`event: end\`, and the connection closes.`;

/** @throws WeirError `not-found` where the caller sees no such job. */
export async function requireHead({ db }: Pick<FollowDeps, 'db'>, caller: Caller, jobId: string): Promise<Head> {
  const head = await readHead(db, jobId);
  if (head === undefined || !sees(caller, head.tenantId)) throw notFound('job', jobId);
  return head;
}

export function logRoutes(deps: FollowDeps): FastifyPluginAsyncTypebox {
  const { db } = deps;
  return async (app) => {
    const sendEvents = createEventStreams(app);
    const content = {
      'application/json': { schema: List(LogLine, 'LogLineList') },
      'text/event-stream': { schema: LogLine },
      'text/plain': { schema: Type.String() },
    };
    app.get(
      '/v1/jobs/:job/logs',
      {
        config: { access: 'viewer' },
        schema: {
          operationId: 'listLogLines',
          tags: ['Jobs'],
          summary: 'The job’s log: stdout, stderr and what weir says, of all attempts and nodes',
          description,
          params: JobParams,
          querystring: LogQuery,
          response: { 200: { description: 'Lines.', content } },
        },
      },
      async (request, reply) => {
        const { query, caller } = request;
        const jobId = request.params.job;
        const head = await requireHead(deps, caller, jobId);
        const format = formatOf(request, ['events', 'text']);
        const firstSeq = Math.max(0, head.nextSeq - (query.tail ?? Infinity));
        if (format === 'events') {
          const after = Math.max(firstSeq - 1, lastEventId(request.headers['last-event-id']));
          return sendEvents(reply, {
            follow: (signal) => followLines(deps, { jobId, after, signal }),
            end: async () => ({ state: (await readHead(db, jobId))?.state }),
          });
        }
        if (format === 'text')
          return sendText(reply, readLines(deps, jobId, { fromSeq: firstSeq, untilSeq: head.nextSeq }));
        const page = pageOf(query.limit);
        const lines = await readSomeLines(deps, jobId, Math.max(firstSeq, seqAfter(query.cursor) + 1), page.take);
        return page.answer(lines, ({ seq }) => String(seq));
      },
    );
  };
}

async function sendText(reply: FastifyReply, batches: AsyncIterable<LogLine[]>): Promise<FastifyReply> {
  const stream = await streamOf(textOf(batches));
  return reply.type(contentTypeOf('text')).send(stream);
}

async function* textOf(batches: AsyncIterable<LogLine[]>): AsyncGenerator<string> {
  for await (const batch of batches) yield batch.map(({ text }) => `${text}\n`).join('');
}
