import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Config } from '../../config.ts';
import { WeirError } from '../../core/errors.ts';
import type { Clock } from '../../core/time.ts';
import type { Database } from '../../db/database.ts';
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
type Refusal = 'no-role' | 'no-tenant' | 'failed';

const pendingName = 'weir-signing-in';
const pendingSeconds = 600;
const place = 'sign-in';

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
    const open = { config: { access: 'public' as const }, schema: { hide: true } };

    app.get(beginPath, open, async (_request, reply) => {
      const { url, pending } = await provider.begin();
      const sealed = Buffer.from(seal(secretKey, JSON.stringify(pending), place)).toString('base64url');
      return reply.setCookie(pendingName, sealed, { ...options, maxAge: pendingSeconds }).redirect(url);
    });
    app.get(callbackPath, open, async (request, reply) => {
      void reply.clearCookie(pendingName, options);
      const refusal = await letIn(request, reply, { ...deps, config, provider });
      return reply.redirect(refusal === undefined ? '/' : `/?sign-in=${refusal}`);
    });
  };
}

type Door = SignInRouteDeps & { cookie: SessionCookie; config: NonNullable<Config['oidc']>; provider: Oidc };

/** Opens the session of who came back; answers why not, where it does not. */
async function letIn(request: FastifyRequest, reply: FastifyReply, door: Door): Promise<Refusal | undefined> {
  const { db, now, secretKey, sessionMs, config, provider, cookie } = door;
  const pending = readPending(request.cookies[pendingName], secretKey);
  if (pending === undefined) return 'failed';
  const query = request.url.slice(request.url.indexOf('?'));
  const claims = await provider.finish(query, pending).catch((error: unknown) => {
    if (error instanceof WeirError) throw error;
    request.log.warn({ err: error }, 'a sign-in failed');
    return undefined;
  });
  if (claims === undefined) return 'failed';
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

function readPending(sealed: string | undefined, secretKey: Buffer): Pending | undefined {
  if (sealed === undefined) return undefined;
  try {
    return JSON.parse(unseal(secretKey, Buffer.from(sealed, 'base64url'), place)) as Pending;
  } catch {
    return undefined;
  }
}
