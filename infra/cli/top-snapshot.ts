import { answer, type List } from './api.ts';
import type { JobState, JobSummary, Shares } from './generated/api.ts';
import type { Session } from './session.ts';

/** What `weir top` shows of one moment. */
export type Snapshot = {
  at: string;
  /** Those that have not ended, and the last that have; the nearest to a machine first. */
  jobs: JobSummary[];
  /** How many there are of each state that has not ended; undefined where it is more than are read. */
  counts: Record<ActiveState, number | undefined>;
  shares: Shares;
};

export type ActiveState = Exclude<JobState, 'succeeded' | 'failed' | 'cancelled'>;

export const activeStates = ['stopping', 'running', 'provisioning', 'queued'] as const satisfies ActiveState[];

/** So many jobs of a state are read; a screen shows fewer. */
const jobsRead = 100;
const newestRead = 20;
const window = '30d';

export async function readSnapshot({ api, named }: Session, signal?: AbortSignal): Promise<Snapshot> {
  const asked = signal === undefined ? {} : { signal };
  const list = (query: { state?: JobState; limit: number }) =>
    answer(api.GET('/v1/jobs/summaries', { params: { query: { ...named, ...query } }, ...asked }));
  const [newest, shares, ...active] = await Promise.all([
    list({ limit: newestRead }),
    answer(api.GET('/v1/shares', { params: { query: { window, series: 'day' } }, ...asked })),
    ...activeStates.map((state) => list({ state, limit: jobsRead })),
  ]);
  const ended = newest.items.filter(({ finishedAt }) => finishedAt !== null);
  return {
    at: new Date().toISOString(),
    jobs: [...active.flatMap(({ items }) => items.toSorted(byPlace)), ...ended],
    counts: Object.fromEntries(
      activeStates.map((state, index) => [state, countOf(active[index])]),
    ) as Snapshot['counts'],
    shares,
  };
}

function countOf(list: List<JobSummary> | undefined): number | undefined {
  return list === undefined || list.nextCursor !== null ? undefined : list.items.length;
}

/** In the queue by place, else the newest first, as they were listed. */
function byPlace(a: JobSummary, b: JobSummary): number {
  return (a.waiting?.position ?? Infinity) - (b.waiting?.position ?? Infinity) || 0;
}
