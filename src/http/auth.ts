import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify';
import { notFound, WeirError } from '../core/errors.ts';
import { isId } from '../core/ids.ts';
import type { Role } from '../protocol/tenant.ts';
import { hasRole, sees, type Caller } from './caller.ts';
import type { Keyring } from './keyring.ts';
import { changesNothing, originOf } from './same-origin.ts';
import type { SessionCookie } from './session-cookie.ts';

/** How sessions are told apart; without them, as in a worker, only keys count. */
export type SessionDoor = { cookie: SessionCookie; publicUrl: string };

/**
 * Lets through who may, by a bearer key or else by the cookie of a session. In this order: 401 without either, 403 for another site's page
 * that would use a session, 404 for a tenant that the caller does not see, as the path or `?tenant=`
 * names it, 403 for too low a role. What lies below a tenant, the routes look up among what the caller sees.
 */
export function guard(app: FastifyInstance, { keyring, sessions }: { keyring: Keyring; sessions?: SessionDoor }): void {
  requireAccessOnEveryRoute(app);
  app.decorateRequest('caller');
  app.decorateRequest('isStillLetIn');
  app.addHook('onRequest', (request, _reply, done) => {
    const { access } = request.routeOptions.config;
    if (access === undefined || access === 'public' || access === 'runner') return done();
    const key = bearerOf(request);
    const token = key === undefined ? sessions?.cookie.read(request) : undefined;
    if (key === undefined && token === undefined)
      return done(unauthorized('Send a key as Authorization: Bearer <key>.'));
    if (token !== undefined && sessions !== undefined && isForged(request, sessions)) return done(forged());
    const ask = () => (key === undefined ? keyring.sessionCallerOf(token ?? '') : keyring.callerOf(key));
    request.isStillLetIn = async () => (await ask()) !== undefined;
    const caller = ask();
    if (!(caller instanceof Promise)) return admit({ request, keyring, role: access }, caller, done);
    caller.then((found) => admit({ request, keyring, role: access }, found, done), done);
  });
}

/** A browser sends a session's cookie along whoever asks for it: what changes something must come from a page of ours. */
function isForged(request: FastifyRequest, { publicUrl }: SessionDoor): boolean {
  return !changesNothing(request) && originOf(request, publicUrl) !== 'ours';
}

function forged(): WeirError {
  return new WeirError(
    'forbidden',
    'A session is only for weir’s own pages, and this request does not come from one. Programs send a key as Authorization: Bearer <key>.',
  );
}

/** A route that forgot to say who may call it must not go into service. */
function requireAccessOnEveryRoute(app: FastifyInstance): void {
  const routes: RouteOptions[] = [];
  app.addHook('onRoute', (route) => void routes.push(route));
  app.addHook('onReady', (done) => {
    const open = routes
      .filter(({ config }) => config?.access === undefined)
      .map(({ method, url }) => `${String(method)} ${url}`);
    done(
      open.length === 0
        ? undefined
        : new Error(`These routes don't say who may call them (config.access): ${open.join(', ')}`),
    );
  });
}

type Door = { request: FastifyRequest; keyring: Keyring; role: Role };
type Done = (error?: Error) => void;

function admit({ request, keyring, role }: Door, caller: Caller | undefined, done: Done): void {
  if (caller === undefined) {
    const isKey = bearerOf(request) !== undefined;
    return done(
      unauthorized(isKey ? 'This key is not known, or was revoked.' : 'Your session has ended. Sign in again.'),
    );
  }
  const named = namedTenant(request);
  if (named !== undefined && !sees(caller, named)) return done(notFound('tenant', named));
  if (!hasRole(caller, role))
    return done(
      new WeirError(
        'forbidden',
        caller.session === undefined
          ? `This needs a key with the role ${role}; this one has ${caller.role}.`
          : `This needs the role ${role}; you are signed in as ${caller.role}.`,
      ),
    );
  request.caller = caller;
  if (named === undefined || caller.tenantId === named) return done();
  const exists = keyring.isTenant(named);
  if (exists === true) return done();
  Promise.resolve(exists).then((is) => done(is ? undefined : notFound('tenant', named)), done);
}

function namedTenant({ params, query }: FastifyRequest): string | undefined {
  const named = (params as { tenant?: unknown }).tenant ?? (query as { tenant?: unknown }).tenant;
  return typeof named === 'string' && isId('tenant', named) ? named : undefined;
}

export function bearerOf({ headers }: FastifyRequest): string | undefined {
  return /^bearer ([\x21-\x7e]+)$/i.exec(headers.authorization ?? '')?.[1];
}

function unauthorized(detail: string): WeirError {
  return new WeirError('unauthorized', detail);
}
