import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { invalid, WeirError } from '../core/errors.ts';
import { newId, type IdKind } from '../core/ids.ts';
import type { Database } from '../db/database.ts';
import { seal, unseal } from '../tenants/seal.ts';
import { sendJsonText } from './json-text.ts';
import {
  abandonRequest,
  claimRequest,
  findRequest,
  keepAnswer,
  releaseRequest,
  takeOverRequest,
  type Claim,
  type RequestKey,
} from './store.ts';

/** Longer than any request takes: after it, whoever had the key is dead, and the next carries on in its place. */
const claimMs = 10_000;
/** How long a repeat waits for the answer to the first before it is told to come back. */
const patienceMs = 2_000;
const pollMs = 50;

const keyPattern = /^[\x21-\x7e]{1,255}$/;

type Stored = NonNullable<Awaited<ReturnType<typeof findRequest>>>;
type State = WeakMap<FastifyRequest, RequestKey>;

/**
 * On routes with `config.idempotent`: gives each request the id of what it makes, and with an `Idempotency-Key` gives a
 * repeat the answer of the first. The id is chosen and stored before the work, so that a repeat after a crash finds what
 * was made instead of making another. Answers are kept encrypted, since they may hold a key.
 */
export function honourIdempotencyKeys(app: FastifyInstance, db: Database, secretKey: Buffer): void {
  const claimed: State = new WeakMap();
  app.decorateRequest('newId', '');
  app.decorateRequest('isCarriedOn', false);
  app.addHook('onRoute', (route) => {
    const kind = route.config?.idempotent;
    if (kind === undefined) return;
    route.preHandler = [...[route.preHandler ?? []].flat(), createPreHandler({ db, secretKey, claimed }, kind)];
    route.onSend = [...[route.onSend ?? []].flat(), createOnSend({ db, secretKey, claimed })];
  });
}

type Keeping = { db: Database; secretKey: Buffer; claimed: State };

function createPreHandler({ db, secretKey, claimed }: Keeping, kind: IdKind) {
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const key = request.headers['idempotency-key'];
    request.newId = newId(kind);
    if (key === undefined) return undefined;
    const claim = claimOf(request, key);
    const stored = (await claimRequest(db.client, claim)) ? undefined : await settleRepeat(db, claim);
    if (stored?.sealed && stored.status !== null) {
      const answer = unseal(secretKey, stored.sealed, placeOf(claim));
      return sendJsonText(reply.code(stored.status).header('idempotent-replayed', 'true'), answer);
    }
    request.newId = stored?.resourceId ?? claim.resourceId;
    request.isCarriedOn = stored !== undefined;
    claimed.set(request, claim);
    return undefined;
  };
}

function claimOf(request: FastifyRequest, key: string | string[]): Claim {
  if (typeof key !== 'string' || !keyPattern.test(key))
    throw invalid('Idempotency-Key', 'The Idempotency-Key must be 1 to 255 printable characters, such as a UUID.');
  const bodyHash = createHash('sha256')
    .update(`${request.url}\n${JSON.stringify(request.body, inOrder)}`)
    .digest('hex');
  return {
    scope: request.caller.actor,
    key,
    route: request.routeOptions.url ?? '',
    bodyHash,
    resourceId: request.newId,
  };
}

/** The same body written by another client, its fields in another order, is the same body. */
function inOrder(_name: string, value: unknown): unknown {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))) : value;
}

/** What is stored of the first request once it has an answer, or once it is ours to carry on. */
async function settleRepeat(db: Database, claim: Claim): Promise<Stored | undefined> {
  const end = Date.now() + patienceMs;
  for (;;) {
    const stored = await findRequest(db.client, claim);
    if (stored === null) {
      if (await claimRequest(db.client, claim)) return undefined;
      continue;
    }
    if (stored.bodyHash !== claim.bodyHash || stored.route !== claim.route) {
      throw new WeirError(
        'idempotency-mismatch',
        'This Idempotency-Key was used for another request. Send the same body, or use a new key.',
      );
    }
    if (stored.status !== null) return stored;
    const isDead = stored.createdAt.getTime() < Date.now() - claimMs;
    if (isDead && (await takeOverRequest(db.client, claim, stored.createdAt))) return stored;
    if (Date.now() > end)
      throw new WeirError(
        'conflict',
        'A request with this Idempotency-Key is still being carried out. Repeat it in a moment.',
        { extra: { retryAfterSeconds: 1 } },
      );
    await sleep(pollMs);
  }
}

function createOnSend({ db, secretKey, claimed }: Keeping) {
  return async (request: FastifyRequest, reply: FastifyReply, payload: unknown) => {
    const claim = claimed.get(request);
    if (claim === undefined) return payload;
    claimed.delete(request);
    const { statusCode: status } = reply;
    try {
      if (status < 300 && typeof payload === 'string')
        await keepAnswer(db.client, claim, { status, sealed: seal(secretKey, payload, placeOf(claim)) });
      else if (status < 500) await releaseRequest(db.client, claim);
      else await abandonRequest(db.client, claim, new Date(Date.now() - claimMs));
    } catch (error) {
      // What was asked for is done. A repeat finds it by its id, since the claim stays.
      request.log.warn({ err: error }, 'the answer to an Idempotency-Key was not kept');
    }
    return payload;
  };
}

function placeOf({ scope, key }: RequestKey): string {
  return `request ${scope} ${key}`;
}
