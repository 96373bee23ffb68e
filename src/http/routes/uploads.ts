import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { createUpload, type CreateUploadDeps } from '../../artifacts/upload.ts';
import { NewUpload, Upload } from '../../protocol/job.ts';
import { TenantQuery, tenantOf } from '../caller.ts';

export function uploadRoutes(deps: CreateUploadDeps): FastifyPluginAsyncTypebox {
  const create = createUpload(deps);
  return async (app) => {
    app.post(
      '/v1/uploads',
      {
        config: { access: 'member', idempotent: 'upload', bodyIsOptional: true },
        schema: {
          operationId: 'createUpload',
          tags: ['Artifacts'],
          summary: 'A signed URL to PUT a source archive or an input to, for a spec to name',
          querystring: Type.Object(TenantQuery),
          body: NewUpload,
          response: { 200: Upload, 201: Upload },
        },
      },
      async (request, reply) => {
        const upload = await create(tenantOf(request), request.body, request.newId);
        return reply.code(upload.complete ? 200 : 201).send(upload);
      },
    );
  };
}
