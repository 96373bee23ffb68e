import type { Sql } from '../db/database.ts';
import { listSettings, settle } from '../db/settings.ts';

const prefix = 'sole tenant of ';

/**
 * A machine that can't keep jobs apart serves one tenant: the first whose job it takes. It is decided once for the
 * installation, by the row, so that two first tenants at the same moment are one.
 */
export function createSoleTenancy(isolatesTenants: (provider: string) => boolean) {
  return {
    /** Whose the machines of each such provider are, where that is decided. */
    read: async (sql: Sql): Promise<Map<string, string>> => {
      const settings = await listSettings(sql, prefix);
      return new Map([...settings].filter(([provider]) => !isolatesTenants(provider)));
    },
    /** False where it is another tenant's. */
    occupy: async (sql: Sql, provider: string, tenantId: string): Promise<boolean> =>
      isolatesTenants(provider) || (await settle(sql, prefix + provider, tenantId)) === tenantId,
  };
}

/** For submissions: those that are refused leave the machine as it was, and what is accepted occupies it. */
export function createOccupancy(sql: Sql, isolatesTenants: (provider: string) => boolean) {
  const { read, occupy } = createSoleTenancy(isolatesTenants);
  return {
    /** Whether the provider can't keep this tenant's jobs apart from another's, whose machine it is already. */
    isBarred: async (provider: string, tenantId: string): Promise<boolean> =>
      !isolatesTenants(provider) && ((await read(sql)).get(provider) ?? tenantId) !== tenantId,
    /** Whether it is nobody's yet. */
    isFree: async (provider: string): Promise<boolean> =>
      !isolatesTenants(provider) && !(await read(sql)).has(provider),
    occupy,
  };
}
