import type { Sql } from '../db/database.ts';
import type { JobState } from '../protocol/job.ts';
import type { JobSpec } from '../protocol/job-spec.ts';
import { dependencyState, type Condition, type EndState } from './state.ts';

export type Dependency = { job: string; condition: Condition; state: 'waiting' | 'met' | 'broken' };

type DependsOn = NonNullable<JobSpec['dependsOn']>;

/**
 * What these conditions have come to. The jobs are held as they are until the transaction ends, older ones first as everywhere:
 * what ends meanwhile waits, and then finds who depends on it.
 */
export async function holdDependencies(tx: Sql, dependsOn: DependsOn): Promise<Dependency[]> {
  if (dependsOn.length === 0) return [];
  const ids = dependsOn.map(({ job }) => job);
  const rows = await tx.$queryRaw<{ id: string; state: JobState }[]>`
    SELECT id, state::text FROM job WHERE id = ANY(${ids}) ORDER BY id FOR SHARE`;
  const states = new Map(rows.map(({ id, state }) => [id, state]));
  return dependsOn.map(({ job, on = 'success' }) => ({
    job,
    condition: on,
    state: dependencyState(on, states.get(job) ?? 'queued'),
  }));
}

/**
 * Notes for all who wait for this job how it has ended; answers who they are. They are held until the transaction ends: of two
 * ends at the same moment the second sees what the first has noted.
 */
export async function markDependencies(tx: Sql, jobId: string, end: EndState): Promise<string[]> {
  const rows = await tx.$queryRaw<{ id: string }[]>`
    SELECT job.id FROM job_dependency d JOIN job ON job.id = d.job_id
    WHERE d.depends_on_id = ${jobId} AND d.state = 'waiting' ORDER BY job.id FOR NO KEY UPDATE OF job`;
  const dependents = rows.map(({ id }) => id);
  if (dependents.length === 0) return [];
  const met = (['success', 'failure', 'end'] as const).filter((on) => dependencyState(on, end) === 'met');
  await tx.$executeRaw`
    UPDATE job_dependency SET state = CASE WHEN condition = ANY(${met}) THEN 'met' ELSE 'broken' END
    WHERE depends_on_id = ${jobId} AND state = 'waiting' AND job_id = ANY(${dependents})`;
  return dependents;
}

export type Upstream = { jobId: string; job: string; name: string; state: JobState; condition: Condition };

/** Of these jobs the dependencies that are not met, with how the jobs are called and where they are. */
export async function listUnmet(sql: Sql, jobIds: string[]): Promise<Upstream[]> {
  if (jobIds.length === 0) return [];
  return sql.$queryRaw<Upstream[]>`
    SELECT d.job_id AS "jobId", job.id AS job, job.name, job.state::text, d.condition
    FROM job_dependency d JOIN job ON job.id = d.depends_on_id
    WHERE d.job_id = ANY(${jobIds}) AND d.state <> 'met' ORDER BY job.id`;
}

/** Jobs with a dependency that can't be met any more. */
export async function listBroken(sql: Sql, limit: number): Promise<string[]> {
  const rows = await sql.$queryRaw<{ id: string }[]>`
    SELECT DISTINCT job_id AS id FROM job_dependency WHERE state = 'broken' LIMIT ${limit}`;
  return rows.map(({ id }) => id);
}

export async function closeDependencies(tx: Sql, jobId: string): Promise<void> {
  await tx.jobDependency.updateMany({ where: { jobId, state: { not: 'met' } }, data: { state: 'closed' } });
}

/** Of these jobs those that this tenant has, with their states. */
export async function readStates(sql: Sql, tenantId: string, jobIds: string[]): Promise<Map<string, JobState>> {
  const rows = await sql.job.findMany({
    where: { id: { in: jobIds }, tenantId },
    select: { id: true, state: true },
  });
  return new Map(rows.map(({ id, state }) => [id, state]));
}
