import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Config } from '../../config.ts';
import { Type } from 'typebox';
import { WeirError } from '../../core/errors.ts';
import type { Clock } from '../../core/time.ts';
import type { Database } from '../../db/database.ts';
import { closed } from '../../protocol/common.ts';
import { SignInMethods } from '../../protocol/session.ts';
import { seal, unseal } from '../../tenants/seal.ts';
import { createSession } from '../../tenants/sessions.ts';
import { findTenant } from '../../tenants/tenants.ts';
import '../caller.ts';
import { grantOf, personOf } from '../oidc-rules.ts';
import { callbackPath, createOidc, type Oidc, type Pending } from '../oidc.ts';
import type { SessionCookie } from '../session-cookie.ts';

export type SignInRouteDeps = {
  db: Database;
  now: Clock;
  publicUrl: string;
  secretKey: Buffer;
  sessionMs: number;
  /** Undefined: people sign in with keys alone. */
  oidc: Config['oidc'];
};

/** Why somebody who came back from the identity provider is not let in, as the sign-in page is told. */
type Refusal = 'no-role' | 'no-tenant' | 'failed' | 'unavailable';

const pendingName = 'weir-signing-in';
const pendingSeconds = 600;
const place = 'sign-in';

/** Where somebody wanted to be: a path of ours, so that no link leads through the sign-in to another site. */
const BeginQuery = Type.Object(
  { to: Type.String({ pattern: '^/([\\w-]+(/[\\w-]+)*)?(\\?[\\x21-\\x7e]*)?$', maxLength: 1000, default: '/' }) },
  closed,
);

type Note = Pending & { to: string };

/** Signing in at an identity provider: away with a sealed note of what must come back, and back with a code. */
export function signInRoutes(deps: SignInRouteDeps & { cookie: SessionCookie }): FastifyPluginAsyncTypebox {
  const { oidc: config, publicUrl, secretKey } = deps;
  const beginPath = '/v1/sign-in/oidc';
  // Lax: the browser comes back from another site.
  const options = { path: beginPath, httpOnly: true, sameSite: 'lax', secure: publicUrl.startsWith('https:') } as const;

  return async (app) => {
    app.get(
      '/v1/sign-in',
      {
        config: { access: 'public' },
        schema: {
          operationId: 'listSignInMethods',
          tags: ['Operation'],
          summary: 'How one can sign in besides with a key',
          response: { 200: SignInMethods },
        },
      },
      async () => ({ oidc: config === undefined ? null : { name: config.name, url: beginPath } }),
    );
    if (config === undefined) return;
    const provider = createOidc(config, publicUrl);
    const open = { access: 'public' as const };

    app.get(
      beginPath,
      { config: open, schema: { hide: true, querystring: BeginQuery } },
      async ({ query: { to }, log }, reply) => {
        const begun = await provider.begin().catch((error: unknown) => reasonOf(error, log));
        if (typeof begun === 'string') return reply.redirect(refusedAt(begun));
        const note: Note = { ...begun.pending, to };
        const sealed = Buffer.from(seal(secretKey, JSON.stringify(note), place)).toString('base64url');
        return reply.setCookie(pendingName, sealed, { ...options, maxAge: pendingSeconds }).redirect(begun.url);
      },
    );
    app.get(callbackPath, { config: open, schema: { hide: true } }, async (request, reply) => {
      void reply.clearCookie(pendingName, options);
      const note = readNote(request.cookies[pendingName], secretKey);
      if (note === undefined) return reply.redirect(refusedAt('failed'));
      const refusal = await letIn(request, reply, { ...deps, config, provider, pending: note });
      return reply.redirect(refusal === undefined ? note.to : refusedAt(refusal));
    });
  };
}

type Door = SignInRouteDeps & {
  cookie: SessionCookie;
  config: NonNullable<Config['oidc']>;
  provider: Oidc;
  pending: Pending;
};

/** Opens the session of who came back; answers why not, where it does not. */
async function letIn(request: FastifyRequest, reply: FastifyReply, door: Door): Promise<Refusal | undefined> {
  const { db, now, sessionMs, config, provider, pending, cookie } = door;
  const query = request.url.slice(request.url.indexOf('?'));
  const claims = await provider.finish(query, pending).catch((error: unknown) => reasonOf(error, request.log));
  if (typeof claims === 'string') return claims;
  const grant = grantOf(claims, config.rules);
  if (grant === undefined) return 'no-role';
  const tenant = grant.tenant === undefined ? undefined : await findTenant(db.client, grant.tenant);
  if (grant.tenant !== undefined && tenant === undefined) return 'no-tenant';
  const opener = { kind: 'person', subject: String(claims['sub']), person: personOf(claims) } as const;
  const session = { opener, role: grant.role, tenantId: tenant?.id ?? null, at: now(), lengthMs: sessionMs };
  const { token, holder } = await createSession(db, session);
  cookie.set(reply, token, holder.expiresAt);
  return undefined;
}

function readNote(sealed: string | undefined, secretKey: Buffer): Note | undefined {
  if (sealed === undefined) return undefined;
  try {
    return JSON.parse(unseal(secretKey, Buffer.from(sealed, 'base64url'), place)) as Note;
  } catch {
    return undefined;
  }
}

/** What went wrong with the provider, as the page is told; the log has the rest. */
function reasonOf(error: unknown, log: FastifyRequest['log']): Refusal {
  log.warn({ err: error }, 'a sign-in failed');
  return error instanceof WeirError && error.code === 'unavailable' ? 'unavailable' : 'failed';
}

const refusedAt = (refusal: Refusal): string => `/?sign-in=${refusal}`;
