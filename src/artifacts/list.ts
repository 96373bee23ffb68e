import type { Sql } from '../db/database.ts';
import type { Artifact } from '../protocol/job.ts';
import { latestCheckpoint } from './checkpoint-store.ts';
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

/** The files that a retry would go on from, in the order of their paths, while the job still runs as well. */
export async function listCheckpoints(sql: Sql, jobId: string): Promise<Artifact[]> {
  return (await latestCheckpoint(sql, jobId)).map(({ path, sizeBytes, sha256, attempt, createdAt }) => ({
    path,
    sizeBytes,
    sha256,
    attempt,
    createdAt: createdAt.toISOString(),
  }));
}
