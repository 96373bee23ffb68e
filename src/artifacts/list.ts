import { invalid } from '../core/errors.ts';
import type { Sql } from '../db/database.ts';
import type { Artifact } from '../protocol/job.ts';
import { listPromoted } from './store.ts';

export type ArtifactPage = { items: Artifact[]; nextCursor: string | null };

const maxLimit = 1000;

/** A job's outputs and checkpoints by path, once the report of their attempt was accepted. */
export async function listArtifacts(sql: Sql, jobId: string, page: { limit?: number; cursor?: string }): Promise<ArtifactPage> {
  const limit = Math.min(page.limit ?? 50, maxLimit);
  const rows = await listPromoted(sql, jobId, { after: readCursor(page.cursor), limit: limit + 1 });
  const shown = rows.slice(0, limit);
  const last = rows.length > limit ? shown.at(-1) : undefined;
  return {
    items: shown.map((row) => ({ ...row, sizeBytes: Number(row.sizeBytes), createdAt: row.createdAt.toISOString() })),
    nextCursor: last === undefined ? null : Buffer.from(last.path).toString('base64url'),
  };
}

function readCursor(cursor: string | undefined): string {
  const path = Buffer.from(cursor ?? '', 'base64url').toString();
  if (path.includes('\u0000')) throw invalid('?cursor', 'This cursor is not one that a list gave; leave it out to start over.');
  return path;
}
