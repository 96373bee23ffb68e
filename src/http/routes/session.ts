import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { WeirError } from '../../core/errors.ts';
import type { Clock } from '../../core/time.ts';
import { hashToken } from '../../core/tokens.ts';
import type { Database } from '../../db/database.ts';
import { Me, NewSession } from '../../protocol/session.ts';
import { describeMe } from '../../tenants/me.ts';
import { createSession, endSession, operatorKeyId } from '../../tenants/sessions.ts';
import { maxUnknownBytes, type Caller } from '../caller.ts';
import { callerOfSession, type Keyring } from '../keyring.ts';
import { originOf } from '../same-origin.ts';
import type { SessionCookie } from '../session-cookie.ts';

export type SessionRouteDeps = {
  db: Database;
  now: Clock;
  publicUrl: string;
  /** How long somebody stays signed in. */
  sessionMs: number;
};

const operations = {
  getMe: {
    operationId: 'getMe',
    tags: ['Operation'],
    summary: 'Who a key or a session belongs to',
    response: { 200: Me },
  },
  createSession: {
    operationId: 'createSession',
    tags: ['Operation'],
    summary: 'Sign in with a key',
    description: `For browsers: sets a cookie that scripts can't read and other sites can't use. What changes something is then taken only from
weir's own pages. Programs send their key as a bearer token instead.`,
    body: NewSession,
    response: { 201: Me },
  },
  endSession: {
    operationId: 'endSession',
    tags: ['Operation'],
    summary: 'Sign out',
    description: 'Ends the session of the cookie. With a bearer key there is none to end.',
    response: { 204: Type.Null() },
  },
};

export function sessionRoutes({
  db,
  now,
  publicUrl,
  sessionMs,
  keyring,
  cookie,
}: SessionRouteDeps & { keyring: Keyring; cookie: SessionCookie }): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get('/v1/me', { config: { access: 'viewer' }, schema: operations.getMe }, ({ caller }) =>
      describeMe(db.client, caller),
    );
    app.post(
      '/v1/session',
      { config: { access: 'public' }, bodyLimit: maxUnknownBytes, schema: operations.createSession },
      async (request, reply) => {
        // Another site could otherwise sign people in as somebody whose jobs it then watches.
        if (originOf(request, publicUrl) === 'foreign')
          throw new WeirError('forbidden', 'Signing in is only for weir’s own pages.');
        const { key } = request.body;
        const caller = await keyring.callerOf(key);
        if (caller === undefined) throw unknownKey();
        const { role, tenantId } = caller;
        const opener = openerOf(caller, key);
        const made = await createSession(db, { opener, role, tenantId, at: now(), lengthMs: sessionMs });
        cookie.set(reply, made.token, made.holder.expiresAt);
        return reply.code(201).send(await describeMe(db.client, callerOfSession(made.holder)));
      },
    );
    app.delete(
      '/v1/session',
      { config: { access: 'viewer' }, schema: operations.endSession },
      async ({ caller }, reply) => {
        if (caller.session !== undefined) {
          await endSession(db.client, caller.session.id);
          keyring.forget(caller.session.id);
        }
        cookie.clear(reply);
        return reply.code(204).send(null);
      },
    );
  };
}

function unknownKey(): WeirError {
  const detail = 'This key is not known, or was revoked.';
  return new WeirError('unauthorized', detail, { faults: [{ pointer: '/key', detail }] });
}

function openerOf({ actor }: Caller, key: string) {
  if (actor === operatorKeyId) return { kind: 'operator', keyHash: hashToken(key) } as const;
  return { kind: 'key', keyId: actor } as const;
}
