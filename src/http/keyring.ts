import type { Clock } from '../core/time.ts';
import { hashToken, sameText } from '../core/tokens.ts';
import type { Database } from '../db/database.ts';
import { findHolder } from '../tenants/keys.ts';
import { findSession, operatorKeyId, type SessionHolder } from '../tenants/sessions.ts';
import { isTenant } from '../tenants/tenants.ts';
import type { Caller } from './caller.ts';

export type Keyring = {
  /** Answered at once where the key was seen a moment ago, so that a busy client costs no query a request. */
  callerOf: (key: string) => Caller | undefined | Promise<Caller | undefined>;
  /** By the token of a session's cookie. */
  sessionCallerOf: (token: string) => Caller | undefined | Promise<Caller | undefined>;
  isTenant: (tenantId: string) => boolean | Promise<boolean>;
  /** Ends a revoked key with its sessions, or one session, in this process now; in the others it ends within two seconds. */
  forget: (keyOrSessionId: string) => void;
};

const keptMs = 2_000;
const maxKept = 10_000;

/** The operator's key of the configuration. It has no row. */
const operator: Caller = { actor: operatorKeyId, role: 'operator', tenantId: null };

type Ask = () => Promise<Caller | undefined>;

export function createKeyring({ db, operatorKey, now }: { db: Database; operatorKey: string; now: Clock }): Keyring {
  const operatorHash = hashToken(operatorKey);
  const callers = new Map<string, { caller: Caller; until: number }>();
  const asking = new Map<string, Promise<Caller | undefined>>();
  const tenants = new Set<string>();

  const ask = async (hash: string, find: Ask): Promise<Caller | undefined> => {
    const until = Date.now() + keptMs;
    const caller = await find();
    // Forgotten while we asked: what was read may be from before the revocation.
    if (!asking.has(hash)) return caller === undefined ? undefined : find();
    asking.delete(hash);
    if (callers.size >= maxKept) callers.clear();
    if (caller !== undefined) callers.set(hash, { caller, until });
    return caller;
  };

  const keptOrAsked = (hash: string, find: Ask) => {
    const kept = callers.get(hash);
    if (kept !== undefined && kept.until > Date.now()) return kept.caller;
    const pending = asking.get(hash) ?? ask(hash, find).finally(() => asking.delete(hash));
    asking.set(hash, pending);
    return pending;
  };

  // Tenants stay, so one that was there still is.
  const lookUp = async (tenantId: string): Promise<boolean> => {
    const exists = await isTenant(db.client, tenantId);
    if (exists) tenants.add(tenantId);
    return exists;
  };

  return {
    callerOf: (key) => {
      const hash = hashToken(key);
      if (sameText(hash, operatorHash)) return operator;
      return keptOrAsked(hash, () => findHolder(db.client, key));
    },
    sessionCallerOf: (token) =>
      keptOrAsked(`session ${hashToken(token)}`, async () => {
        const holder = await findSession(db.client, { token, operatorHash, now: now() });
        return holder === undefined ? undefined : callerOfSession(holder);
      }),
    isTenant: (tenantId) => tenants.has(tenantId) || lookUp(tenantId),
    forget: (id) => {
      asking.clear();
      for (const [hash, { caller }] of callers)
        if (caller.actor === id || caller.session?.id === id) callers.delete(hash);
    },
  };
}

export function callerOfSession({ sessionId: id, expiresAt, ...caller }: SessionHolder): Caller {
  return { ...caller, session: { id, expiresAt } };
}
