import type { FastifyRequest } from 'fastify';
import { WeirError } from '../core/errors.ts';
import type { Database } from '../db/database.ts';
import { requireRunner, requireSpeaker, type Runner } from '../instances/fence.ts';
import { bearerOf } from './auth.ts';

/**
 * The runner that speaks, on routes with access `runner`, fenced by the number of its attempt.
 * @throws WeirError `unauthorized`, `stale-attempt`
 */
export function runnerOf(db: Database, request: FastifyRequest, attempt: number): Promise<Runner> {
  return requireRunner(db, tokenOf(request), attempt);
}

/** Before a large body is read, in which the attempt's number is: whether there is such a runner at all. */
export function createRequireSpeaker(db: Database) {
  return async (request: FastifyRequest): Promise<void> => {
    await requireSpeaker(db, tokenOf(request));
  };
}

function tokenOf(request: FastifyRequest): string {
  const token = bearerOf(request);
  if (token === undefined)
    throw new WeirError('unauthorized', 'Send the runner token as Authorization: Bearer <token>.');
  return token;
}
