import { useQueryClient, type QueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import type { Changes } from '../../../infra/cli/generated/api.ts';
import { setTold } from './connection.ts';

/** What a change of a job may change besides. */
const changesWithJobs = [
  '/v1/jobs',
  '/v1/jobs/summaries',
  '/v1/queue',
  '/v1/jobs/{job}',
  '/v1/jobs/{job}/events',
  '/v1/jobs/{job}/artifacts',
  '/v1/jobs/{job}/tasks',
];

/** Reads again what changed, as the service tells it. Nothing is followed while nobody looks. */
export function useChanges(): void {
  const queryClient = useQueryClient();
  useEffect(
    () =>
      whileVisible(() => {
        let isBroken = false;
        const stop = listen('/v1/changes', {
          onOpen: () => {
            setTold(true);
            // What changed meanwhile was told to nobody.
            if (isBroken) void readAgain(queryClient, { jobs: [], isPartial: true });
            isBroken = false;
          },
          // A stream that breaks tells more quickly than anything else that weir is away, or that the session has ended.
          onBreak: () => {
            setTold(false);
            isBroken = true;
            void queryClient.invalidateQueries({ queryKey: ['get', '/v1/me'] });
          },
          onData: (data) => void readAgain(queryClient, JSON.parse(data) as Changes),
        });
        return () => {
          stop();
          setTold(true);
        };
      }),
    [queryClient],
  );
}

const firstRetryMs = 1000;
const longestRetryMs = 30_000;

type Listening = { onOpen: () => void; onBreak: () => void; onData: (data: string) => void };

/** Listens until it is stopped. A browser gives a stream up for good after one answer that is no success: it is opened anew, later each time. */
function listen(path: string, { onOpen, onBreak, onData }: Listening): () => void {
  let source: EventSource;
  let timer: number | undefined;
  let retryMs = firstRetryMs;
  const open = () => {
    source = new EventSource(path);
    source.addEventListener('open', () => {
      retryMs = firstRetryMs;
      onOpen();
    });
    source.addEventListener('message', ({ data }) => onData(String(data)));
    source.addEventListener('error', ({ currentTarget }) => {
      onBreak();
      if ((currentTarget as EventSource).readyState !== EventSource.CLOSED) return;
      timer = window.setTimeout(open, retryMs);
      retryMs = Math.min(longestRetryMs, retryMs * 2);
    });
  };
  open();
  return () => {
    window.clearTimeout(timer);
    source.close();
  };
}

/** What is being read already may be of before the change, so it is read once more. */
export async function readAgain(
  queryClient: QueryClient,
  { jobs, isPartial }: Pick<Changes, 'jobs' | 'isPartial'>,
): Promise<void> {
  const changed = new Set(jobs.map(({ id }) => id));
  const isConcerned = ({ queryKey: [, path, init] }: { queryKey: readonly unknown[] }): boolean => {
    if (!changesWithJobs.includes(String(path))) return false;
    const job = (init as { params?: { path?: { job?: string } } } | undefined)?.params?.path?.job;
    return job === undefined || isPartial || changed.has(job);
  };
  const underWay = queryClient.getQueryCache().findAll({ predicate: isConcerned, fetchStatus: 'fetching' });
  await queryClient.invalidateQueries({ predicate: isConcerned }, { cancelRefetch: false });
  if (underWay.length > 0)
    await queryClient.invalidateQueries({ predicate: (query) => underWay.includes(query) }, { cancelRefetch: false });
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
