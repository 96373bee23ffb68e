import { useQuery, type QueryClient } from '@tanstack/react-query';
import { api, bodyOf, queries, Refusal } from './client.ts';

const meOptions = queries.queryOptions('get', '/v1/me', {}, { staleTime: Infinity, refetchInterval: 60_000 });

/** Who is signed in. */
export const useMeQuery = () => useQuery(meOptions);

/** Who is signed in; undefined until it is known, or where nobody is. */
export const useMe = () => useMeQuery().data;

/** The session's cookie comes with the answer. @throws Refusal where the key is not known */
export async function signIn(queryClient: QueryClient, key: string): Promise<void> {
  const signedIn = await bodyOf(api.POST('/v1/session', { body: { key } }));
  queryClient.clear();
  queryClient.setQueryData(meOptions.queryKey, signedIn);
}

/** With the session goes what the tab has kept of it. A session that has ended already is as good. */
export async function signOut(): Promise<void> {
  await api.DELETE('/v1/session').catch((error: unknown) => {
    if (!(error instanceof Refusal && error.status === 401)) throw error;
  });
  sessionStorage.clear();
}
