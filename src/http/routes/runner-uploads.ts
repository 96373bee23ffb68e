import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { completeTicket, openTicket, takeCheckpoint, type ReceiveDeps } from '../../artifacts/receive.ts';
import type { Producer } from '../../artifacts/store.ts';
import { closed, Id } from '../../protocol/common.ts';
import { RunnerCheckpoint, RunnerUpload, UploadTicket } from '../../protocol/runner.ts';
import { maxUnknownBytes } from '../caller.ts';
import { createRequireSpeaker, runnerOf } from '../runner-of.ts';

const Completion = Type.Object({ attempt: Type.Integer() }, { ...closed, title: 'RunnerUploadCompletion' });

async function producerOf({ db }: ReceiveDeps, request: FastifyRequest, attemptNumber: number): Promise<Producer> {
  const { job, attempt, instance } = await runnerOf(db, request, attemptNumber);
  return { tenantId: job.tenantId, jobId: job.id, attempt: attempt.number, node: instance.node };
}

export function runnerUploadRoutes(deps: ReceiveDeps): FastifyPluginAsyncTypebox {
  return async (app) => {
    await app.register(checkpointRoute(deps));
    app.post(
      '/v1/runner/uploads',
      {
        config: { access: 'runner' },
        bodyLimit: maxUnknownBytes,
        schema: {
          operationId: 'openRunnerUpload',
          tags: ['Runner'],
          summary: 'Where to send a file that the job produced',
          body: RunnerUpload,
          response: { 201: UploadTicket },
        },
      },
      async (request, reply) => {
        const { body } = request;
        const producer = await producerOf(deps, request, body.attempt);
        return reply.code(201).send(await openTicket(deps, producer, body));
      },
    );

    app.post(
      '/v1/runner/uploads/:id/complete',
      {
        config: { access: 'runner' },
        bodyLimit: maxUnknownBytes,
        schema: {
          operationId: 'completeRunnerUpload',
          tags: ['Runner'],
          summary: 'All bytes were sent: compares their checksum with the one announced',
          params: Type.Object({ id: Id('artifact') }),
          body: Completion,
          response: { 204: Type.Null() },
        },
      },
      async (request, reply) => {
        const { params, body } = request;
        const producer = await producerOf(deps, request, body.attempt);
        await completeTicket(deps, producer, params.id);
        return reply.code(204).send(null);
      },
    );
  };
}

/** Of a body with as many ids as it may have. */
const checkpointBytes = 4 * 1024 * 1024;

function checkpointRoute(deps: ReceiveDeps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.post(
      '/v1/runner/checkpoint',
      {
        config: { access: 'runner' },
        bodyLimit: checkpointBytes,
        onRequest: createRequireSpeaker(deps.db),
        schema: {
          operationId: 'takeRunnerCheckpoint',
          tags: ['Runner'],
          summary: 'Which of the files that were sent are a checkpoint together',
          body: RunnerCheckpoint,
          response: { 204: Type.Null() },
        },
      },
      async (request, reply) => {
        const { attempt, artifacts } = request.body;
        await takeCheckpoint(deps, await producerOf(deps, request, attempt), artifacts);
        return reply.code(204).send(null);
      },
    );
  };
}
