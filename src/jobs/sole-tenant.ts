import type { Sql } from '../db/database.ts';
import { settle } from '../db/settings.ts';

/**
 * A machine that can't keep jobs apart serves one tenant: the first that submits to it. It is decided once for the
 * installation, by the row, so that two first tenants at the same moment are one.
 */
export function createIsBarred(sql: Sql, isolatesTenants: (provider: string) => boolean) {
  return async (provider: string, tenantId: string): Promise<boolean> => {
    if (isolatesTenants(provider)) return false;
    return (await settle(sql, `sole tenant of ${provider}`, tenantId)) !== tenantId;
  };
}
