import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { List } from '../../protocol/common.ts';
import { CurrentOffer } from '../../protocol/quote.ts';

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
          response: { 200: List(CurrentOffer, 'OfferList') },
        },
      },
      async () => ({ items: await offers(), nextCursor: null }),
    );
  };
}
