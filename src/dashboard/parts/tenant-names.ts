import { queries } from '../api/client.ts';
import { useMe } from '../api/session.ts';

/** The names of all tenants, for an operator; a tenant sees only its own jobs, so it needs none. */
export function useTenantNames(): ((id: string) => string) | undefined {
  const isOperator = useMe()?.role === 'operator';
  const { data } = queries.useQuery(
    'get',
    '/v1/tenants',
    { params: { query: { limit: 1000 } } },
    { enabled: isOperator, refetchInterval: 60_000 },
  );
  if (!isOperator) return undefined;
  const names = new Map(data?.items.map(({ id, name }) => [id, name]));
  return (id) => names.get(id) ?? id;
}
