import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { List, Page } from '../../protocol/common.ts';
import { CurrentOffer } from '../../protocol/quote.ts';
import { pageOf, seqAfter } from '../page.ts';

export type OfferRouteDeps = { offers: () => Promise<CurrentOffer[]> };

export function offerRoutes({ offers }: OfferRouteDeps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/v1/offers',
      {
        config: { access: 'viewer' },
        schema: {
          operationId: 'listOffers',
          tags: ['Quotes'],
          summary: 'What can be bought now, and what of it is free',
          querystring: Page,
          response: { 200: List(CurrentOffer, 'OfferList') },
        },
      },
      async ({ query }) => {
        const page = pageOf(query.limit);
        const first = seqAfter(query.cursor) + 1;
        const shown = (await offers()).map((offer, place) => ({ offer, place })).slice(first, first + page.take);
        const { items, nextCursor } = page.answer(shown, ({ place }) => String(place));
        return { items: items.map(({ offer }) => offer), nextCursor };
      },
    );
  };
}
