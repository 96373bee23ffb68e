import type { Bucket } from '../artifacts/bucket.ts';
import { logKey } from '../artifacts/names.ts';
import type { Residence } from '../artifacts/residence.ts';
import { eachRow } from '../core/each-row.ts';
import { hourMs, type Clock } from '../core/time.ts';
import type { Database } from '../db/database.ts';
import { listArchivable, markArchived, readRowChunks, type LoggedJob } from './archive-store.ts';

export type ArchiveDeps = {
  db: Database;
  bucket: Pick<Bucket, 'write'>;
  residence: Residence;
  now: Clock;
  onError: (error: unknown) => void;
};

/** After so long nothing more comes: not from a runner that was cut off, nor from one whose spool another delivers. */
const quietMs = hourMs;
const objectBytes = 16 * 1024 * 1024;

/**
 * Moves the logs of ended jobs from their rows into the bucket. Answers how many jobs' were moved.
 *
 * An object is named after its first and last line, so moving the same lines again, after a crash or beside another worker,
 * writes the same bytes to the same place.
 */
export function archiveLogs(deps: ArchiveDeps): Promise<number> {
  const before = new Date(deps.now().getTime() - quietMs);
  return eachRow({
    list: (after, limit) => listArchivable(deps.db.client, before, { after, limit }),
    work: (job) => archiveLog(deps, job),
    what: 'logs of ended jobs',
    onError: deps.onError,
  });
}

async function archiveLog({ db, bucket, residence }: ArchiveDeps, { id: jobId, tenantId }: LoggedJob): Promise<void> {
  const owner = { tenantId, region: await residence(tenantId) };
  for (;;) {
    const chunks = await readRowChunks(db, jobId, objectBytes);
    const [first, last] = [chunks[0], chunks.at(-1)];
    if (first === undefined || last === undefined) return;
    const span = { firstSeq: first.firstSeq, lastSeq: last.firstSeq + last.lines - 1 };
    const objectKey = logKey(owner, jobId, span);
    await bucket.write(objectKey, Buffer.concat(chunks.map(({ data }) => data)));
    let end = 0;
    const offsets = chunks.map(({ data }) => (end += data.length) - data.length);
    await markArchived(db, { jobId, objectKey, firstSeqs: chunks.map(({ firstSeq }) => firstSeq), offsets });
  }
}
