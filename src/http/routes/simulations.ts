import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { NewSimulation, Simulation } from '../../protocol/simulation.ts';

export type SimulationRouteDeps = { replay: (request: NewSimulation) => Promise<Simulation> };

export function simulationRoutes({ replay }: SimulationRouteDeps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.post(
      '/v1/simulations',
      {
        config: { access: 'operator' },
        schema: {
          operationId: 'simulate',
          tags: ['Shares'],
          summary: 'Replay recorded or given jobs under other policies or another capacity',
          body: NewSimulation,
          response: { 200: Simulation },
        },
      },
      ({ body }) => replay(body),
    );
  };
}
