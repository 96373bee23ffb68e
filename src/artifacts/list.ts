import { invalid, notFound } from '../core/errors.ts';
import { isId } from '../core/ids.ts';
import type { Sql } from '../db/database.ts';
import type { Artifact } from '../protocol/job.ts';
import { jobExists, listPromoted } from './store.ts';

export type ArtifactPage = { items: Artifact[]; nextCursor: string | null };

/** Whose artifacts, and who asks: `tenantId` null is an operator. */
export type Asked = { jobId: string; tenantId: string | null };

const maxLimit = 1000;

/** A job's outputs and checkpoints by path, once the report of their attempt was accepted. @throws WeirError `not-found` */
export async function listArtifacts(sql: Sql, { jobId, tenantId }: Asked, page: { limit?: number; cursor?: string }): Promise<ArtifactPage> {
  await requireJob(sql, { jobId, tenantId });
  const limit = Math.min(page.limit ?? 50, maxLimit);
  const rows = await listPromoted(sql, jobId, { after: readCursor(page.cursor), limit: limit + 1 });
  const shown = rows.slice(0, limit);
  const last = rows.length > limit ? shown.at(-1) : undefined;
  return {
    items: shown.map((row) => ({ ...row, sizeBytes: Number(row.sizeBytes), createdAt: row.createdAt.toISOString() })),
    nextCursor: last === undefined ? null : Buffer.from(last.path).toString('base64url'),
  };
}

/** Another tenant's job is as one that never was. */
export async function requireJob(sql: Sql, { jobId, tenantId }: Asked): Promise<void> {
  if (!isId('job', jobId) || !(await jobExists(sql, jobId, tenantId))) throw notFound('job', jobId);
}

function readCursor(cursor: string | undefined): string {
  const path = Buffer.from(cursor ?? '', 'base64url').toString();
  if (path.includes('\u0000')) throw invalid('?cursor', 'This cursor is not one that a list gave; leave it out to start over.');
  return path;
}
