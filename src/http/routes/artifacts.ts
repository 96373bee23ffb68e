import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Bucket } from '../../artifacts/bucket.ts';
import { artifactUrl, type DownloadDeps } from '../../artifacts/download.ts';
import { listArtifacts, listCheckpoints } from '../../artifacts/list.ts';
import { isRelativePath } from '../../artifacts/names.ts';
import { findJob } from '../../artifacts/store.ts';
import { invalid, notFound } from '../../core/errors.ts';
import { Id, List, Page } from '../../protocol/common.ts';
import { Artifact } from '../../protocol/job.ts';
import { sees, type Caller } from '../caller.ts';
import { pageOf, readCursor } from '../page.ts';

export function artifactRoutes(deps: DownloadDeps): FastifyPluginAsyncTypebox {
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
        await requireJob(deps, caller, params.job);
        const page = pageOf(query.limit);
        const items = await listArtifacts(deps.db.client, params.job, {
          after: pathOf(readCursor(query.cursor)),
          take: page.take,
        });
        return page.answer(items, ({ path }) => cursorOf(path));
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
        await requireJob(deps, caller, params.job);
        const url = await artifactUrl(deps, params.job, params['*']);
        return reply.redirect(caller.session === undefined ? url : here(url, deps.bucket));
      },
    );
  };
}

export function checkpointRoutes(deps: DownloadDeps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/v1/jobs/:job/checkpoints',
      {
        config: { access: 'viewer' },
        schema: {
          operationId: 'listCheckpoints',
          tags: ['Artifacts'],
          summary: 'The checkpoint that a retry would go on from, file by file, as the job stores them',
          params: Type.Object({ job: Id('job') }),
          response: { 200: List(Artifact, 'CheckpointList') },
        },
      },
      async ({ params, caller }) => {
        await requireJob(deps, caller, params.job);
        return { items: await listCheckpoints(deps.db.client, params.job), nextCursor: null };
      },
    );
  };
}

/** A browser stays at the address where it signed in, of which its cookie and the page's policy are: weir's own URL may name another. */
function here(url: string, { origin }: Bucket): string {
  if (origin !== undefined) return url;
  const { pathname, search } = new URL(url);
  return pathname + search;
}

async function requireJob({ db }: DownloadDeps, caller: Caller, jobId: string): Promise<void> {
  const tenantId = (await findJob(db.client, jobId))?.tenantId;
  if (tenantId === undefined || !sees(caller, tenantId)) throw notFound('job', jobId);
}

/** Paths may hold any letter, cursors only ASCII. */
function cursorOf(path: string): string {
  return Buffer.from(path).toString('hex');
}

function pathOf(cursor: string | undefined): string {
  if (cursor === undefined) return '';
  const path = Buffer.from(cursor, 'hex').toString();
  if (!isRelativePath(path))
    throw invalid('?cursor', 'This cursor is not one that a list gave; leave it out to start over.');
  return path;
}
