import type { Sql } from '../db/database.ts';
import type { Artifact } from '../protocol/job.ts';
import { listPromoted } from './store.ts';

/** A job's outputs and checkpoints in the order of their paths, once the report of their attempt was accepted. */
export async function listArtifacts(
  sql: Sql,
  jobId: string,
  page: { after: string; take: number },
): Promise<Artifact[]> {
  const rows = await listPromoted(sql, jobId, page);
  return rows.map((row) => ({ ...row, sizeBytes: Number(row.sizeBytes), createdAt: row.createdAt.toISOString() }));
}
