import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { artifactUrl, type DownloadDeps } from '../../artifacts/download.ts';
import { listArtifacts } from '../../artifacts/list.ts';
import { List, Page } from '../../protocol/common.ts';
import { Artifact } from '../../protocol/job.ts';
import '../caller.ts';

const Job = Type.String({ description: 'The job’s id.' });

export function artifactRoutes(deps: DownloadDeps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/v1/jobs/:job/artifacts',
      {
        config: { access: 'viewer' },
        schema: {
          operationId: 'listArtifacts',
          tags: ['artifacts'],
          summary: 'What the job produced, by path; an attempt’s once it has reported its end',
          params: Type.Object({ job: Job }),
          querystring: Page,
          response: { 200: List(Artifact, 'ArtifactList') },
        },
      },
      async ({ params, query, caller }) => listArtifacts(deps.db.client, { jobId: params.job, tenantId: caller.tenantId }, query),
    );

    app.get(
      '/v1/jobs/:job/artifacts/*',
      {
        config: { access: 'viewer' },
        schema: {
          operationId: 'downloadArtifact',
          tags: ['artifacts'],
          summary: 'Redirects to a signed URL, good for a short time, that serves the file and needs no key',
          params: Type.Object({ job: Job, '*': Type.String({ description: 'The artifact’s path.' }) }),
          response: { 302: Type.Null({ description: 'Location: the signed URL.' }) },
        },
      },
      async ({ params, caller }, reply) =>
        reply.redirect(await artifactUrl(deps, { jobId: params.job, tenantId: caller.tenantId }, params['*'])),
    );
  };
}
