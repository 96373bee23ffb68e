import { createHash } from 'node:crypto';
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
  let policy: string | undefined;
  page.addHook('onSend', async (_request, reply) => {
    if (policy !== undefined) void reply.headers({ ...headers, 'content-security-policy': policy });
  });
  await page.ready();
  policy = policyFor((await page.inject('/docs/')).body);
  return page;
}

const headers = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
};

/** Of programs, those that come from here and those that the page itself has, by their hashes. Its styles it makes as it runs. */
function policyFor(html: string): string {
  const own = [...html.matchAll(/<script(?![^>]*\bsrc=)[^>]*>([\s\S]*?)<\/script>/g)].map(
    ([, program = '']) => `'sha256-${createHash('sha256').update(program).digest('base64')}'`,
  );
  return [
    "default-src 'none'",
    `script-src ${["'self'", ...own].join(' ')}`,
    "style-src 'self' 'unsafe-inline'",
    "connect-src 'self'",
    "img-src 'self' data:",
    "font-src 'self' data:",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ');
}
