import type { Sql } from '../db/database.ts';

/** What was freed for a job is no longer held for it when it has not started for so long. */
const heldSeconds = 600;

/** The jobs that others make way for, or have and that have not started since. */
export async function readClaimants(tx: Sql, at: Date): Promise<Set<string>> {
  const rows = await tx.$queryRaw<{ id: string }[]>`
    SELECT DISTINCT victim.preempted_for AS id FROM attempt AS victim
    WHERE victim.preempted_for IS NOT NULL
      AND (victim.finished_at IS NULL OR victim.finished_at > ${at}::timestamptz - make_interval(secs => ${heldSeconds}))
      AND NOT EXISTS (SELECT FROM attempt AS own WHERE own.job_id = victim.preempted_for AND own.created_at > victim.finished_at)`;
  return new Set(rows.map(({ id }) => id));
}
