import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Clock } from '../../core/time.ts';
import type { Database } from '../../db/database.ts';
import { createAppend } from '../../logs/append.ts';
import { LogChunk, maxLogChunkBytes } from '../../protocol/runner.ts';
import { runnerOf } from '../runner-of.ts';

export type RunnerLogRouteDeps = { db: Database; now: Clock };

export function runnerLogRoutes({ db, now }: RunnerLogRouteDeps): FastifyPluginAsyncTypebox {
  const append = createAppend(db, now);
  return async (app) => {
    app.addContentTypeParser('application/gzip', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    app.post(
      '/v1/runner/logs',
      {
        config: { access: 'runner' },
        bodyLimit: maxBodyBytes,
        schema: {
          operationId: 'sendLog',
          tags: ['Runner'],
          summary: 'Lines of the job’s output',
          description:
            'The body is gzip of one JSON object a line: { s: stream, t: text, at: milliseconds since 1970 }.',
          consumes: ['application/gzip'],
          querystring: LogChunk,
          response: { 204: Type.Null() },
        },
      },
      async (request, reply) => {
        const { query, body } = request;
        const runner = await runnerOf(db, request, query.attempt);
        await append(runner, query, Buffer.isBuffer(body) ? body : Buffer.alloc(0));
        return reply.code(204).send(null);
      },
    );
  };
}

/** What a runner gathers is bounded before it is packed: packing may add a little where nothing can be saved. */
const maxBodyBytes = 2 * maxLogChunkBytes;
