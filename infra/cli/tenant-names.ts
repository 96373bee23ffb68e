import { answer, firstOf, type Api } from './api.ts';

/** Every tenant's name by its id; for operators. */
export async function tenantNames(api: Api): Promise<Map<string, string>> {
  const { items } = await firstOf(Infinity, (query) => answer(api.GET('/v1/tenants', { params: { query } })));
  return new Map(items.map(({ id, name }) => [id, name]));
}
