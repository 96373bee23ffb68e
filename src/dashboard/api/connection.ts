import { QueryCache, QueryClient } from '@tanstack/react-query';
import { useSyncExternalStore } from 'react';
import { Refusal } from './client.ts';

/** How what is shown stands to the service: fresh, or old because nobody answers. */
export type Connection = 'live' | 'away';

let connection: Connection = 'live';
const listeners = new Set<() => void>();

function become(next: Connection): void {
  if (connection === next) return;
  connection = next;
  for (const tell of listeners) tell();
}

export function useConnection(): Connection {
  return useSyncExternalStore(
    (tell) => {
      listeners.add(tell);
      return () => listeners.delete(tell);
    },
    () => connection,
  );
}

/** How often what changes by itself is read again, while somebody looks. */
export const liveMs = 3000;

/** Reads again while somebody looks; a refusal is an answer, only silence is tried again. */
export function createQueryClient(onSignedOut: (why: string) => void): QueryClient {
  return new QueryClient({
    queryCache: new QueryCache({
      onSuccess: () => become('live'),
      onError: (error) => {
        if (error instanceof Refusal && error.status === 401) onSignedOut(error.message);
        become(error instanceof Refusal && error.status < 500 ? 'live' : 'away');
      },
    }),
    defaultOptions: {
      queries: {
        retry: false,
        staleTime: 1000,
        refetchInterval: liveMs,
        networkMode: 'always',
      },
      mutations: { networkMode: 'always' },
    },
  });
}
