import type { FastifyInstance } from 'fastify';
import { version } from '../core/version.ts';

/** Who has a key is told which weir answers, so that a client of another version can say so. Comes after the guard. */
export function tellVersion(app: FastifyInstance): void {
  app.addHook('onRequest', ({ caller }, reply, done) => {
    if ((caller as unknown) !== undefined) reply.header('weir-version', version);
    done();
  });
}
