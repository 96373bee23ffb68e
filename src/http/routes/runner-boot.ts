import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { BootReport } from '../../protocol/runner.ts';
import { maxUnknownBytes } from '../caller.ts';

export type RunnerBootRouteDeps = { bootStage: (report: BootReport) => Promise<void> };

/** What a machine calls before it has a runner. */
export function runnerBootRoutes({ bootStage }: RunnerBootRouteDeps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.post(
      '/v1/runner/stage',
      {
        config: { access: 'public' },
        bodyLimit: maxUnknownBytes,
        schema: {
          operationId: 'reportBootStage',
          tags: ['Runner'],
          summary: 'Say what a machine does before its runner is up',
          body: BootReport,
          response: { 204: Type.Null() },
        },
      },
      async (request, reply) => {
        await bootStage(request.body);
        return reply.code(204).send(null);
      },
    );
  };
}
