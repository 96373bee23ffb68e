import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Database } from '../../db/database.ts';
import type { Runner } from '../../instances/fence.ts';
import { Assignment, Claim, Directive, Heartbeat, Report } from '../../protocol/runner.ts';
import { maxUnknownBytes } from '../caller.ts';
import { runnerOf } from '../runner-of.ts';

export type RunnerRouteDeps = {
  db: Database;
  claim: (claim: Claim) => Promise<Assignment>;
  heartbeat: (runner: Runner, heartbeat: Heartbeat) => Promise<Directive>;
  report: (runner: Runner, report: Report) => Promise<void>;
};

/** What runners call: see protocol/runner.ts for the order of things. */
export function runnerRoutes({ db, claim, heartbeat, report }: RunnerRouteDeps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.post(
      '/v1/runner/claim',
      {
        config: { access: 'public' },
        bodyLimit: maxUnknownBytes,
        schema: {
          operationId: 'claimAttempt',
          tags: ['Runner'],
          summary: 'Spend the bootstrap token',
          body: Claim,
          response: { 200: Assignment },
        },
      },
      (request) => claim(request.body),
    );
    app.post(
      '/v1/runner/heartbeat',
      {
        config: { access: 'runner' },
        bodyLimit: maxUnknownBytes,
        schema: {
          operationId: 'beat',
          tags: ['Runner'],
          summary: 'Extend the lease',
          body: Heartbeat,
          response: { 200: Directive },
        },
      },
      async (request) => heartbeat(await runnerOf(db, request, request.body.attempt), request.body),
    );
    app.post(
      '/v1/runner/report',
      {
        config: { access: 'runner' },
        bodyLimit: maxUnknownBytes,
        schema: {
          operationId: 'reportEnd',
          tags: ['Runner'],
          summary: 'Report the end of a node',
          body: Report,
          response: { 204: Type.Null() },
        },
      },
      async (request, reply) => {
        await report(await runnerOf(db, request, request.body.attempt), request.body);
        return reply.code(204).send(null);
      },
    );
  };
}
