import { QueryCache, QueryClient } from '@tanstack/react-query';
import { useSyncExternalStore } from 'react';
import { Refusal } from './client.ts';

/** How what is shown stands to the service: fresh, read now and then because changes are not told, or old because nobody answers. */
export type Connection = 'live' | 'late' | 'away';

let isAway = false;
let isTold = true;
const listeners = new Set<() => void>();

function become(next: { isAway?: boolean; isTold?: boolean }): void {
  ({ isAway = isAway, isTold = isTold } = next);
  for (const tell of listeners) tell();
}

/** Whether the service tells what changes. */
export const setTold = (next: boolean): void => become({ isTold: next });

const connectionNow = (): Connection => (isAway ? 'away' : isTold ? 'live' : 'late');

export function useConnection(): Connection {
  return useSyncExternalStore((tell) => {
    listeners.add(tell);
    return () => listeners.delete(tell);
  }, connectionNow);
}

/** How often what moves by itself is read again, while somebody looks. */
export const liveMs = 3000;

/** What changes with jobs is read again when the service says so; this is for what it does not tell, and if it can't. */
const refreshMs = 15_000;

/** While nobody answers it is tried again as often as what is live. */
export function createQueryClient(onSignedOut: (why: string) => void): QueryClient {
  return new QueryClient({
    queryCache: new QueryCache({
      onSuccess: () => become({ isAway: false }),
      onError: (error, { queryKey: [, path], state }) => {
        // Who asks who they are for the first time and is nobody has not lost anything.
        const isNobody = path === '/v1/me' && state.data === undefined;
        if (error instanceof Refusal && error.status === 401)
          onSignedOut(isNobody ? '' : 'Your session has ended. Sign in again.');
        // One route that fails is told where its answer would be; what a proxy says for a service that is gone, it says to who asks for /v1/me.
        if (!(error instanceof Refusal) || (path === '/v1/me' && error.status >= 500)) become({ isAway: true });
      },
    }),
    defaultOptions: {
      queries: {
        retry: false,
        staleTime: 1000,
        refetchInterval: ({ state }) => (state.status === 'error' ? liveMs : refreshMs),
        networkMode: 'always',
      },
      mutations: { networkMode: 'always' },
    },
  });
}
