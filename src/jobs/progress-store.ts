import type { Sql } from '../db/database.ts';
import type { JobProgress } from '../protocol/job.ts';
import { toTrack } from '../quotes/progress.ts';

type Usage = JobProgress['usage'][number];

/** What a job has said of its progress, thinned, and what its machines saw last; undefined where there is no such job. */
export async function readProgress(
  sql: Sql,
  jobId: string,
): Promise<{ tenantId: string; progress: JobProgress } | undefined> {
  const job = await sql.job.findUnique({
    where: { id: jobId },
    select: {
      tenantId: true,
      progress: true,
      attempts: { orderBy: { number: 'desc' }, take: 1, include: { instances: { orderBy: { node: 'asc' } } } },
    },
  });
  if (job === null) return undefined;
  const track = toTrack(job.progress);
  const usage = (job.attempts[0]?.instances ?? []).flatMap(({ node, sample, heartbeatAt }) =>
    sample === null || heartbeatAt === null
      ? []
      : [{ node, at: heartbeatAt.toISOString(), ...(sample as Omit<Usage, 'node' | 'at'>) }],
  );
  const { done = null, total = null, unit = null, attempt = null, marks = [] } = track ?? {};
  const points = marks.map(([atMs, reached]) => ({ at: new Date(atMs).toISOString(), done: reached }));
  return { tenantId: job.tenantId, progress: { done, total, unit, attempt, points, usage } };
}
