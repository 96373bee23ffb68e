import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Database } from '../../db/database.ts';
import { closed, Id, List, Page } from '../../protocol/common.ts';
import { QuoteOutcome } from '../../protocol/quote.ts';
import { listOutcomes } from '../../quotes/outcome-store.ts';
import { listedTenant } from '../caller.ts';
import { pageOf, readCursor } from '../page.ts';

const OutcomeQuery = Type.Object(
  { ...Page.properties, tenant: Type.Optional(Id('tenant', 'For operators: whose. Left out: all.')) },
  closed,
);

export function quoteOutcomeRoutes({ db }: { db: Database }): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/v1/quotes/outcomes',
      {
        config: { access: 'viewer' },
        schema: {
          operationId: 'listQuoteOutcomes',
          tags: ['Quotes'],
          summary: 'What finished jobs were quoted, and what came; the newest first',
          querystring: OutcomeQuery,
          response: { 200: List(QuoteOutcome, 'QuoteOutcomeList') },
        },
      },
      async ({ caller, query }) => {
        const page = pageOf(query.limit);
        const tenantId = listedTenant(caller, query.tenant);
        const outcomes = await listOutcomes(db.client, { tenantId, after: readCursor(query.cursor), take: page.take });
        return page.answer(outcomes, ({ job }) => job);
      },
    );
  };
}
