import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { notFound } from '../../core/errors.ts';
import '../caller.ts';

const folder = join(import.meta.dirname, '../../dashboard');

const contentTypes: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** The page runs and loads only what comes from here, and shows tenants' words: nothing in them may become a program. */
const headers = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cache-control': 'no-cache',
};

type File = { body: Buffer; contentType: string; etag: string };

const FileParams = Type.Object({ '*': Type.String() });

/** The dashboard's page and its few files, which need no key: all it shows comes from the API, which does. */
export function dashboardRoutes(): FastifyPluginAsyncTypebox {
  return async (app) => {
    // Only what lies in the folder at start has a name here, so no path leads anywhere else.
    const files = await readFiles();
    const answer = (name: string, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
      const file = files.get(name);
      if (file === undefined) throw notFound('page', name);
      void reply.headers({ ...headers, etag: file.etag });
      if (request.headers['if-none-match'] === file.etag) return reply.code(304).send();
      return reply.type(file.contentType).send(file.body);
    };
    const open = { config: { access: 'public' as const } };
    app.get('/', { ...open, schema: { hide: true } }, (request, reply) => answer('index.html', request, reply));
    app.get('/dashboard/*', { ...open, schema: { hide: true, params: FileParams } }, (request, reply) =>
      answer(request.params['*'], request, reply),
    );
  };
}

async function readFiles(): Promise<Map<string, File>> {
  const names = (await readdir(folder)).filter((name) => extname(name) in contentTypes);
  return new Map(await Promise.all(names.map(async (name): Promise<[string, File]> => [name, await readOne(name)])));
}

async function readOne(name: string): Promise<File> {
  const body = await readFile(join(folder, name));
  const etag = `"${createHash('sha256').update(body).digest('base64url')}"`;
  return { body, contentType: contentTypes[extname(name)] ?? 'application/octet-stream', etag };
}
