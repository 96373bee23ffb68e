import { invalid } from '../core/errors.ts';
import type { IdKind } from '../core/ids.ts';
import { Type } from 'typebox';
import { Id } from '../protocol/common.ts';
import { roles, type Role } from '../protocol/tenant.ts';

/** Who calls: a key of a tenant or the operator's, or a session that was opened with one or by a person. */
export type Caller = {
  /** As the audit names it: the key's id, `operator`, or `oidc:` and the person. */
  actor: string;
  role: Role;
  tenantId: string | null;
  session?: { id: string; expiresAt: Date };
};

/** Who may call a route: anyone, a runner with its own token (which the route checks), or keys from this role upwards. */
export type Access = 'public' | 'runner' | Role;

/** Of a body that is read before it is known whose it is, so that strangers can't keep the API busy. */
export const maxUnknownBytes = 64 * 1024;

declare module 'fastify' {
  interface FastifyRequest {
    /** Set on every route that a role guards. */
    caller: Caller;
    /** For answers that take long: whether the key or session is still good. */
    isStillLetIn: (() => Promise<boolean>) | undefined;
    /** On routes with `config.idempotent`: the id for what this request makes, the same for each repeat of it. */
    newId: string;
    /** Whether an earlier request with this id got no answer: what it asks for may be there already. */
    isCarriedOn: boolean;
  }
  interface FastifyContextConfig {
    access?: Access;
    /** The kind of thing this POST makes; with it, `Idempotency-Key` is honoured. */
    idempotent?: IdKind;
    /** Without a body, as with one of no fields. Only where every field is optional and leaving all out does no harm. */
    bodyIsOptional?: true;
  }
}

/** For the querystring of routes that ask `tenantOf`. */
export const TenantQuery = { tenant: Type.Optional(Id('tenant', 'For which tenant. Only operators need it.')) };

export function hasRole(caller: Caller, role: Role): boolean {
  return roles.indexOf(caller.role) >= roles.indexOf(role);
}

/** Whether what belongs to this tenant exists for the caller. */
export function sees(caller: Caller, tenantId: string): boolean {
  return caller.role === 'operator' || caller.tenantId === tenantId;
}

/** Whose rows a list shows: a tenant's own; to an operator those of the tenant that it names, or null for all. */
export function listedTenant({ role, tenantId }: Caller, named?: string): string | null {
  return role === 'operator' ? (named ?? null) : tenantId;
}

/** The tenant a request is for: its key's own, or the one that an operator names as `?tenant=`, which `guard` has looked at. */
export function tenantOf({ caller, query }: { caller: Caller; query: unknown }): string {
  const named = (query as { tenant?: string }).tenant;
  const tenantId = named ?? caller.tenantId;
  if (tenantId === null)
    throw invalid('?tenant', 'An operator’s key belongs to no tenant: name one, as in ?tenant=tnt_….');
  return tenantId;
}
