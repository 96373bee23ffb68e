import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { artifactUrl, type DownloadDeps } from '../../artifacts/download.ts';
import { listArtifacts } from '../../artifacts/list.ts';
import { findJobTenant } from '../../artifacts/store.ts';
import { notFound } from '../../core/errors.ts';
import { Id, List, Page } from '../../protocol/common.ts';
import { Artifact } from '../../protocol/job.ts';
import { sees, type Caller } from '../caller.ts';

export function artifactRoutes(deps: DownloadDeps): FastifyPluginAsyncTypebox {
  const requireJob = async (caller: Caller, jobId: string): Promise<void> => {
    const tenantId = await findJobTenant(deps.db.client, jobId);
    if (tenantId === undefined || !sees(caller, tenantId)) throw notFound('job', jobId);
  };

  return async (app) => {
    app.get(
      '/v1/jobs/:job/artifacts',
      {
        config: { access: 'viewer' },
        schema: {
          operationId: 'listArtifacts',
          tags: ['Artifacts'],
          summary: 'What the job produced, by path; an attempt’s once it has reported its end',
          params: Type.Object({ job: Id('job') }),
          querystring: Page,
          response: { 200: List(Artifact, 'ArtifactList') },
        },
      },
      async ({ params, query, caller }) => {
        await requireJob(caller, params.job);
        return listArtifacts(deps.db.client, params.job, query);
      },
    );

    app.get(
      '/v1/jobs/:job/artifacts/*',
      {
        config: { access: 'viewer' },
        schema: {
          operationId: 'downloadArtifact',
          tags: ['Artifacts'],
          summary: 'Redirects to a signed URL, good for a short time, that serves the file and needs no key',
          params: Type.Object({ job: Id('job'), '*': Type.String({ description: 'The artifact’s path.' }) }),
          response: { 302: Type.Null({ description: 'Location: the signed URL.' }) },
        },
      },
      async ({ params, caller }, reply) => {
        await requireJob(caller, params.job);
        return reply.redirect(await artifactUrl(deps, params.job, params['*']));
      },
    );
  };
}
