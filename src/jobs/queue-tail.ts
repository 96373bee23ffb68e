import type { Sql } from '../db/database.ts';
import type { Job } from '../protocol/job.ts';

type Waiting = NonNullable<Job['waiting']>;

/** Of each tenant's queue so many jobs are explained one by one; those behind are explained by them. */
const headLength = 50;

type Tail = { id: string; before: number; heads: (Waiting | null)[] };

/**
 * What jobs that stand behind the head of their tenant's queue wait for: their place in it, and what the cycle last said of those
 * that are next. Tasks of arrays before them count, though they have no rows yet. Counts no further than `most`: beyond it the place is
 * left open.
 */
export async function readTails(sql: Sql, ids: string[], most: number): Promise<Map<string, Waiting>> {
  if (ids.length === 0) return new Map();
  const rows = await sql.$queryRaw<Tail[]>`
    SELECT own.id, ahead.before, head.heads
    FROM job AS own
    CROSS JOIN LATERAL (
      SELECT count(*)::float8 + (
        SELECT coalesce(sum(unmade), 0) FROM job_array AS many JOIN job AS other ON other.id = many.job_id
        WHERE many.tenant_id = own.tenant_id AND many.unmade > 0 AND many.job_id IS DISTINCT FROM own.array_id
          AND other.priority >= own.priority AND (other.priority > own.priority OR other.queued_at < own.queued_at)
          AND NOT EXISTS (SELECT FROM job_dependency d WHERE d.job_id = other.id AND d.state <> 'met')
      ) AS before FROM (
        SELECT FROM job AS other
        WHERE other.state = 'queued' AND NOT other.held AND other.tenant_id = own.tenant_id AND other.priority >= own.priority
          AND (other.priority > own.priority OR (other.queued_at, other.id) < (own.queued_at, own.id))
        LIMIT ${most}
      ) counted
    ) ahead
    CROSS JOIN LATERAL (
      SELECT coalesce(jsonb_agg(waiting), '[]') AS heads FROM (
        SELECT waiting FROM job AS other WHERE other.state = 'queued' AND NOT other.held AND other.tenant_id = own.tenant_id
        ORDER BY priority DESC, queued_at, id LIMIT ${headLength}
      ) next
    ) head
    WHERE own.id = ANY(${ids})`;
  return new Map(rows.map(({ id, before, heads }) => [id, behind(before < most ? before + 1 : null, heads)]));
}

/** The expected start goes on from those of the head, at their pace. */
export function behind(position: number | null, heads: readonly (Waiting | null)[]): Waiting {
  const known = heads.flatMap((head) => (head === null ? [] : [head]));
  const [first, last] = [known[0], known.at(-1)];
  const [blocker] = last?.blockers ?? [];
  const isBehind = position !== null && position > heads.length;
  if (first === undefined || last === undefined || blocker === undefined || !isBehind)
    return { position, eta: { p50: null, p90: null }, blockers: [] };
  // Not in the order of the queue: a gang at its head may be the last to start.
  const atMs = (percentile: 'p50' | 'p90'): number | null => {
    const times = known.flatMap(({ eta }) => (eta[percentile] === null ? [] : [Date.parse(eta[percentile])]));
    if (last.eta[percentile] === null || times.length < 2) return null;
    const [soonest, latest] = [Math.min(...times), Math.max(...times)];
    return latest + ((latest - soonest) / (times.length - 1)) * (position - heads.length);
  };
  const [p50, p90] = [atMs('p50'), atMs('p90')];
  const iso = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());
  const message = `${position - 1} jobs of this tenant are before it. Of those that are next, the last waits for this: ${blocker.message}`;
  return {
    position,
    eta: { p50: iso(p50), p90: iso(p90 === null ? null : Math.max(p90, p50 ?? p90)) },
    blockers: [{ code: blocker.code, message, unblocks: 'The jobs before it start.' }],
  };
}
