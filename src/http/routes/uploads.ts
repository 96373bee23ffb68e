import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { createUpload, type UploadDeps } from '../../artifacts/upload.ts';
import { WeirError } from '../../core/errors.ts';
import { newId } from '../../core/ids.ts';
import { NewUpload, Upload } from '../../protocol/job.ts';
import '../caller.ts';

export function uploadRoutes(deps: UploadDeps & { uploadMs: number }): FastifyPluginAsyncTypebox {
  const create = createUpload(deps);
  return async (app) => {
    app.post(
      '/v1/uploads',
      {
        config: { access: 'member' },
        schema: {
          operationId: 'createUpload',
          tags: ['artifacts'],
          summary: 'A signed URL to PUT a source archive or an input to, for a spec to name',
          body: NewUpload,
          response: { 201: Upload },
        },
      },
      async ({ body, caller }, reply) => {
        if (caller.tenantId === null) throw new WeirError('forbidden', 'An operator’s key belongs to no tenant; upload with a key of the tenant that submits the job.');
        return reply.code(201).send(await create(caller.tenantId, body, newId('upload')));
      },
    );
  };
}
