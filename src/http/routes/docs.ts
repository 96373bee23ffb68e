import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Fastify, { type FastifyInstance } from 'fastify';
import { openApiOf } from '../openapi.ts';

/** Register last: the specification is of all routes before. */
export function docsRoutes(): FastifyPluginAsyncTypebox {
  return async (app) => {
    let document: string | undefined;
    let page: Promise<FastifyInstance> | undefined;

    app.get('/openapi.json', { config: { access: 'public' }, schema: { hide: true } }, (_request, reply) => {
      document ??= JSON.stringify(openApiOf(app));
      return reply.type('application/json; charset=utf-8').send(document);
    });
    for (const url of ['/docs', '/docs/*']) {
      app.get(url, { config: { access: 'public' }, schema: { hide: true } }, async (request, reply) => {
        page ??= openPage();
        const loaded = await page;
        reply.hijack();
        loaded.routing(request.raw, reply.raw);
      });
    }
    app.addHook('onClose', async () => (await page)?.close());
  };
}

/** The page's program is 40 MB in memory: it is loaded when somebody first reads the page. It comes from here, not from the internet. */
async function openPage(): Promise<FastifyInstance> {
  const { default: scalar } = await import('@scalar/fastify-api-reference');
  const page = Fastify();
  await page.register(scalar, {
    routePrefix: '/docs',
    configuration: {
      url: '/openapi.json',
      withDefaultFonts: false,
      hideClientButton: true,
      pageTitle: 'weir',
      telemetry: false,
    },
  });
  await page.ready();
  return page;
}
