import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { List } from '../../protocol/common.ts';
import { Offer } from '../../protocol/quote.ts';

export type OfferRouteDeps = { offers: () => Promise<Offer[]> };

export function offerRoutes({ offers }: OfferRouteDeps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/v1/offers',
      {
        config: { access: 'viewer' },
        schema: {
          operationId: 'listOffers',
          tags: ['Quotes'],
          summary: 'What can be bought now',
          response: { 200: List(Offer, 'OfferList') },
        },
      },
      async () => ({ items: await offers(), nextCursor: null }),
    );
  };
}
