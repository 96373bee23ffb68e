import type { Sql } from '../db/database.ts';
import { readLightRows, type FirstOption } from './job-rows.ts';
import { searchJobs, type JobFilter } from './search-store.ts';
import { joinJobs, type ShownJob } from './shown-store.ts';

/** A job as a list shows it: of its spec and its options only what that needs, and no quote. */
export type ListedJob = ShownJob & { first: FirstOption | null };

export async function listJobSummaries(sql: Sql, filter: JobFilter, now: Date): Promise<ListedJob[]> {
  return readListedJobs(sql, await searchJobs(sql, filter), now);
}

/** In this order. */
export async function readListedJobs(sql: Sql, ids: readonly string[], now: Date): Promise<ListedJob[]> {
  const rows = await readLightRows(sql, ids);
  const joined = await joinJobs(sql, rows, { now, places: 10_000, isWhole: false });
  const jobs = new Map(joined.map((job) => [job.id, job]));
  return ids.flatMap((id) => jobs.get(id) ?? []);
}
