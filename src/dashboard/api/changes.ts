import { useQueryClient, type QueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import type { Changes } from '../../../infra/cli/generated/api.ts';

/** What a change of a job may change besides. */
const changesWithJobs = [
  '/v1/jobs',
  '/v1/jobs/summaries',
  '/v1/queue',
  '/v1/jobs/{job}',
  '/v1/jobs/{job}/events',
  '/v1/jobs/{job}/artifacts',
];

/** Reads again what changed, as the service tells it. Nothing is followed while nobody looks. */
export function useChanges(): void {
  const queryClient = useQueryClient();
  useEffect(
    () =>
      whileVisible(() => {
        const source = new EventSource('/v1/changes');
        // A stream that breaks tells more quickly than anything else that weir is away, or that the session has ended.
        source.addEventListener('error', () => void queryClient.invalidateQueries({ queryKey: ['get', '/v1/me'] }));
        source.addEventListener('message', ({ data }) => readAgain(queryClient, JSON.parse(String(data)) as Changes));
        return () => source.close();
      }),
    [queryClient],
  );
}

function readAgain(queryClient: QueryClient, { jobs, isPartial }: Changes): void {
  const changed = new Set(jobs.map(({ id }) => id));
  const isConcerned = ({ queryKey: [, path, init] }: { queryKey: readonly unknown[] }): boolean => {
    if (!changesWithJobs.includes(String(path))) return false;
    const job = (init as { params?: { path?: { job?: string } } } | undefined)?.params?.path?.job;
    return job === undefined || isPartial || changed.has(job);
  };
  void queryClient.invalidateQueries({ predicate: isConcerned }, { cancelRefetch: false });
}

/** Starts when the page is looked at, and stops when it is not. */
export function whileVisible(start: () => () => void): () => void {
  let stop = document.hidden ? undefined : start();
  const onChange = () => {
    if (document.hidden) {
      stop?.();
      stop = undefined;
    } else stop ??= start();
  };
  document.addEventListener('visibilitychange', onChange);
  return () => {
    document.removeEventListener('visibilitychange', onChange);
    stop?.();
  };
}
