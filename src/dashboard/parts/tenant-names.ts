import { useQuery } from '@tanstack/react-query';
import type { Tenant } from '../../../infra/cli/generated/api.ts';
import { api, bodyOf } from '../api/client.ts';
import { readAll } from '../api/read-all.ts';
import { useMe } from '../api/session.ts';

/** All tenants, for an operator; nobody else sees any but its own. */
export function useTenants(): Tenant[] | undefined {
  const isOperator = useMe()?.role === 'operator';
  const { data } = useQuery({
    queryKey: ['get', '/v1/tenants', 'all'],
    queryFn: readTenants,
    enabled: isOperator,
    refetchInterval: 60_000,
  });
  return data;
}

const readTenants = (): Promise<Tenant[]> => readAll((query) => bodyOf(api.GET('/v1/tenants', { params: { query } })));

/** The names of all tenants, for an operator; a tenant sees only its own jobs, so it needs none. */
export function useTenantNames(): ((id: string) => string) | undefined {
  const isOperator = useMe()?.role === 'operator';
  const tenants = useTenants();
  if (!isOperator) return undefined;
  const names = new Map(tenants?.map(({ id, name }) => [id, name]));
  return (id) => names.get(id) ?? id;
}
