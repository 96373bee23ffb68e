import { basename, dirname } from 'node:path';
import send from '@fastify/send';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { FilesystemBucket } from '../../artifacts/filesystem-bucket.ts';
import { attachmentOf } from '../../artifacts/names.ts';
import type { FastifyReply } from 'fastify';
import { notFound, WeirError } from '../../core/errors.ts';
import { closed } from '../../protocol/common.ts';
import '../caller.ts';

const signed = { expires: Type.String({ pattern: '^[0-9]{1,12}$' }), signature: Type.String({ maxLength: 64 }) };

const UploadQuery = Type.Object(
  {
    key: Type.String(),
    session: Type.String(),
    size: Type.String({ pattern: '^[0-9]{0,15}$' }),
    sha256: Type.String({ pattern: '^([0-9a-f]{64})?$' }),
    ...signed,
  },
  closed,
);
const DownloadQuery = Type.Object({ name: Type.String(), ...signed }, closed);

/**
 * The file system bucket's signed URLs. What is served is a tenant's, so a browser must neither run it nor guess at its type.
 * They are opaque to clients, hence not in the specification.
 */
export function objectRoutes({ bucket }: { bucket: FilesystemBucket }): FastifyPluginAsyncTypebox {
  return async (app) => {
    // The bytes go to the disk as they come, whatever their type: no parser may gather them first.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', (_request, _payload, done) => done(null));

    app.put(
      '/v1/objects/upload',
      { config: { access: 'public' }, schema: { hide: true, querystring: UploadQuery } },
      async ({ query, headers, raw }, reply) => {
        const received = await bucket.receive(query, headers['content-range'], raw);
        if (received.isComplete) return reply.send(received.info);
        if (received.receivedBytes > 0) reply.header('range', `bytes=0-${received.receivedBytes - 1}`);
        return reply.code(308).send();
      },
    );

    app.get(
      '/v1/objects/*',
      {
        config: { access: 'public' },
        schema: { hide: true, params: Type.Object({ '*': Type.String() }), querystring: DownloadQuery },
      },
      async ({ params, query, raw }, reply) => {
        const path = bucket.locate(params['*'], query);
        const file = await send(raw, basename(path), {
          root: dirname(path),
          dotfiles: 'allow',
          contentType: false,
          index: false,
          cacheControl: false,
        });
        if (file.statusCode === 404) throw notFound('object', params['*']);
        if (file.statusCode === 416) throw noSuchRange(reply, file.headers['Content-Range'] ?? '');
        return reply
          .code(file.statusCode)
          .headers(file.headers)
          .headers({
            'content-type': 'application/octet-stream',
            'content-disposition': attachmentOf(query.name),
            'content-security-policy': "sandbox; default-src 'none'",
            'x-content-type-options': 'nosniff',
            'cache-control': 'private, no-store',
          })
          .send(file.stream);
      },
    );
  };
}

/** As RFC 9110 has it, the answer's Content-Range names the size. */
function noSuchRange(reply: FastifyReply, contentRange: string): WeirError {
  void reply.header('content-range', contentRange);
  const size = contentRange.slice(contentRange.indexOf('/') + 1);
  return new WeirError('range-not-satisfiable', `The file has ${size} bytes; ask for a Range within them, or for all.`);
}
