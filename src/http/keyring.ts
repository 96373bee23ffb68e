import { hashToken, sameText } from '../core/tokens.ts';
import type { Database } from '../db/database.ts';
import { findHolder } from '../tenants/keys.ts';
import { isTenant } from '../tenants/tenants.ts';
import type { Caller } from './caller.ts';

export type Keyring = {
  /** Answered at once where the key was seen a moment ago, so that a busy client costs no query a request. */
  callerOf: (key: string) => Caller | undefined | Promise<Caller | undefined>;
  isTenant: (tenantId: string) => boolean | Promise<boolean>;
  /** Ends a revoked key in this process now; in the others it ends within two seconds. */
  forget: (keyId: string) => void;
};

const keptMs = 2_000;
const maxKept = 10_000;

/** The operator's key of the configuration. It has no row. */
const operator: Caller = { keyId: 'operator', role: 'operator', tenantId: null };

export function createKeyring(db: Database, operatorKey: string): Keyring {
  const operatorHash = hashToken(operatorKey);
  const callers = new Map<string, { caller: Caller; until: number }>();
  const asking = new Map<string, Promise<Caller | undefined>>();
  const tenants = new Set<string>();

  const ask = async (key: string, hash: string): Promise<Caller | undefined> => {
    const until = Date.now() + keptMs;
    const caller = await findHolder(db.client, key);
    // Forgotten while we asked: what was read may be from before the revocation.
    if (!asking.has(hash)) return caller === undefined ? undefined : findHolder(db.client, key);
    asking.delete(hash);
    if (callers.size >= maxKept) callers.clear();
    if (caller !== undefined) callers.set(hash, { caller, until });
    return caller;
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
      const kept = callers.get(hash);
      if (kept !== undefined && kept.until > Date.now()) return kept.caller;
      if (sameText(hash, operatorHash)) return operator;
      const pending = asking.get(hash) ?? ask(key, hash).finally(() => asking.delete(hash));
      asking.set(hash, pending);
      return pending;
    },
    isTenant: (tenantId) => tenants.has(tenantId) || lookUp(tenantId),
    forget: (keyId) => {
      asking.clear();
      for (const [hash, { caller }] of callers) if (caller.keyId === keyId) callers.delete(hash);
    },
  };
}
