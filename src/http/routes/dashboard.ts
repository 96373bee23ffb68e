import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { WeirError } from '../../core/errors.ts';
import '../caller.ts';

/** What `npm run dashboard` builds. */
const folder = join(import.meta.dirname, '../../dashboard/dist');

/** Where the application has pages: `pages.ts` of the dashboard names the same. */
export const pagePaths: readonly string[] = [
  '/',
  '/queue',
  '/tenants',
  '/tenants/*',
  '/tenant',
  '/jobs',
  '/jobs/*',
  '/submit',
  '/quotes',
  '/capacity',
  '/audit',
];

/**
 * The page runs and loads only what comes from here, and shows tenants' words: nothing in them may become a program. What it
 * shows of artifacts comes from where the bucket's URLs lead.
 */
const headersOf = (bucketOrigin: string | undefined) => ({
  'content-security-policy': `default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'${bucketOrigin === undefined ? '' : ` ${bucketOrigin}`}; img-src 'self' data: blob:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'`,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
});

const yearMs = 365 * 24 * 60 * 60 * 1000;

const FileParams = Type.Object({ '*': Type.String() });

/** The dashboard's page and its files, which need no key: all it shows comes from the API, which does. */
export function dashboardRoutes(bucketOrigin: string | undefined): FastifyPluginAsyncTypebox {
  const headers = headersOf(bucketOrigin);
  return async (app) => {
    await app.register(fastifyStatic, { root: folder, serve: false, preCompressed: true, logLevel: 'error' });
    const open = { config: { access: 'public' as const } };

    for (const path of pagePaths)
      app.get(path, { ...open, schema: { hide: true } }, (_request, reply) => answerPage(reply.headers(headers)));
    // What a browser asks for beside an answer that names no icon, such as /docs.
    app.get('/favicon.ico', { ...open, schema: { hide: true } }, (_request, reply) =>
      reply.headers(headers).sendFile('weir.svg', { maxAge: 0 }),
    );
    app.get('/dashboard/*', { ...open, schema: { hide: true, params: FileParams } }, ({ params }, reply) => {
      const name = params['*'];
      // What the build names by its content never changes; of the rest a browser asks again each time.
      const isHashed = name.startsWith('assets/');
      return reply.headers(headers).sendFile(name, isHashed ? { maxAge: yearMs, immutable: true } : { maxAge: 0 });
    });
  };
}

function answerPage(reply: FastifyReply): FastifyReply {
  if (!existsSync(join(folder, 'index.html')))
    throw new WeirError('unavailable', 'The dashboard is not built: run `npm run dashboard` where weir is installed.');
  return reply.sendFile('index.html', { maxAge: 0 });
}
