import Fastify, { type FastifyInstance } from 'fastify';
import type { Clock } from '../core/time.ts';
import type { Database } from '../db/database.ts';
import { guard } from './auth.ts';
import { createKeyring } from './keyring.ts';
import { answerProblems } from './problems.ts';
import { healthRoutes, type HealthRouteDeps } from './routes/health.ts';

export type HealthAppDeps = Omit<HealthRouteDeps, 'keyring'> & {
  db: Database;
  now: Clock;
  operatorKey: string;
  publicUrl: string;
};

/** What a process without the API serves: whether it lives, whether it is ready, and its metrics. */
export async function createHealthApp(deps: HealthAppDeps): Promise<FastifyInstance> {
  const app = Fastify();
  const keyring = createKeyring(deps);
  answerProblems(app, deps.publicUrl);
  guard(app, { keyring });
  await app.register(healthRoutes({ ...deps, keyring }));
  return app;
}
