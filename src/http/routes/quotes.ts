import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { allChecked, notFound } from '../../core/errors.ts';
import type { Clock } from '../../core/time.ts';
import type { Database } from '../../db/database.ts';
import { closed, Id } from '../../protocol/common.ts';
import { requirePilotable, type Pilots } from '../../jobs/pilot.ts';
import { requireSound } from '../../jobs/spec-faults.ts';
import { NewQuote, Quote, QuoteAccuracy, Scaling } from '../../protocol/quote.ts';
import { accuracy } from '../../quotes/accuracy.ts';
import type { Quoter } from '../../quotes/quote.ts';
import { scalingOf } from '../../quotes/scaling.ts';
import { createKeepQuote, findQuote, requireQuote, type StoredQuote } from '../../quotes/store.ts';
import { sendJsonText } from '../json-text.ts';
import { listedTenant, sees, TenantQuery, tenantOf, type Caller } from '../caller.ts';

export type QuoteRouteDeps = { db: Database; now: Clock; quote: Quoter['quote']; pilots: Pick<Pilots, 'start'> };

const QuoteParams = Type.Object({ quote: Id('quote') });
const ForTenant = Type.Object(TenantQuery, closed);

const operations = {
  createQuote: {
    operationId: 'createQuote',
    tags: ['Quotes'],
    summary: 'What a job would cost and take',
    querystring: ForTenant,
    body: NewQuote,
    response: { 201: Quote },
  },
  getQuoteAccuracy: {
    operationId: 'getQuoteAccuracy',
    tags: ['Quotes'],
    summary: 'How far quotes were off, over finished jobs',
    querystring: ForTenant,
    response: { 200: QuoteAccuracy },
  },
  getQuote: {
    operationId: 'getQuote',
    tags: ['Quotes'],
    summary: 'A quote',
    params: QuoteParams,
    response: { 200: Quote },
  },
  getScaling: {
    operationId: 'getScaling',
    tags: ['Quotes'],
    summary: 'Time and cost by the number of accelerators',
    params: QuoteParams,
    response: { 200: Scaling },
  },
};

export function quoteRoutes({ db, now, quote, pilots }: QuoteRouteDeps): FastifyPluginAsyncTypebox {
  const keepQuote = createKeepQuote(db);
  const requireSeen = async (caller: Caller, quoteId: string): Promise<StoredQuote> => {
    const found = await findQuote(db.client, quoteId);
    if (found === undefined || !sees(caller, found.tenantId)) throw notFound('quote', quoteId);
    return found;
  };

  return async (app) => {
    app.post(
      '/v1/quotes',
      {
        config: { access: 'member', idempotent: 'quote' },
        schema: operations.createQuote,
      },
      async (request, reply) => {
        const tenantId = tenantOf(request);
        const { pilot = false, ...spec } = request.body;
        const stored = request.isCarriedOn ? await findQuote(db.client, request.newId) : undefined;
        if (stored !== undefined) return reply.code(201).send(stored.quote);
        const [made] = await allChecked([
          quote(tenantId, spec, request.newId),
          requireSound(spec, now()),
          ...(pilot ? [requirePilotable(spec)] : []),
        ]);
        if (!pilot) return sendJsonText(reply.code(201), await keepQuote(made, tenantId, spec));
        await pilots.start(tenantId, spec, made);
        return reply.code(201).send((await requireQuote(db.client, tenantId, made.id)).quote);
      },
    );
    app.get(
      '/v1/quotes/accuracy',
      {
        config: { access: 'viewer' },
        schema: operations.getQuoteAccuracy,
      },
      ({ query: { tenant }, caller }) => accuracy(db.client, listedTenant(caller, tenant), now()),
    );
    app.get(
      '/v1/quotes/:quote',
      {
        config: { access: 'viewer' },
        schema: operations.getQuote,
      },
      async ({ params, caller }) => (await requireSeen(caller, params.quote)).quote,
    );
    app.get(
      '/v1/quotes/:quote/scaling',
      {
        config: { access: 'viewer' },
        schema: operations.getScaling,
      },
      async ({ params, caller }) => scalingOf(await requireSeen(caller, params.quote)),
    );
  };
}
