import { Prisma, type Sql } from '../db/database.ts';
import type { JobSort, JobState } from '../protocol/job.ts';

export type JobFilter = {
  /** Whose; null for all. */
  tenantId: string | null;
  states?: readonly JobState[];
  /** The whole name. */
  name?: string;
  /** Part of the name, in any case, or the id. */
  text?: string;
  /** Without a value: whatever its value. */
  label?: { key: string; value: string | undefined };
  /** Whose tasks; left out: jobs that are no tasks. */
  array?: string;
  /** Left out: newest first. */
  sort?: JobSort;
  /** The id of the last job before these. */
  after?: string;
  limit: number;
};

/** By what is sorted, each with the id where it is equal. Ids rise with time. What has not ended, ends last. */
const columns: Record<string, Prisma.Sql> = {
  createdAt: Prisma.sql`id`,
  name: Prisma.sql`name`,
  finishedAt: Prisma.sql`coalesce(finished_at, 'infinity')`,
  costUsd: Prisma.sql`charged_micro_usd`,
};

/** The ids of the jobs that match, in order. Whatever it filters by but labels is in one index, so that no job's row is read for it. */
export async function searchJobs(sql: Sql, { sort = '-createdAt', after, limit, ...filter }: JobFilter) {
  const isDescending = sort.startsWith('-');
  const column = columns[sort.replace('-', '')] ?? Prisma.sql`id`;
  const direction = isDescending ? Prisma.sql`DESC` : Prisma.sql`ASC`;
  const beyond = isDescending ? Prisma.sql`<` : Prisma.sql`>`;
  const from = Prisma.sql`(${column}, id) ${beyond} (SELECT ${column}, id FROM job WHERE id = ${after})`;
  const where = [...conditionsOf(filter), ...(after === undefined ? [] : [from])];
  const rows = await sql.$queryRaw<{ id: string }[]>`
    SELECT id FROM job WHERE ${Prisma.join(where, ' AND ')} ORDER BY ${column} ${direction}, id ${direction} LIMIT ${limit}`;
  return rows.map(({ id }) => id);
}

function conditionsOf({ tenantId, states, name, text, label, array }: Omit<JobFilter, 'limit'>): Prisma.Sql[] {
  return [
    array === undefined ? Prisma.sql`array_id IS NULL` : Prisma.sql`array_id = ${array}`,
    ...(tenantId === null ? [] : [Prisma.sql`tenant_id = ${tenantId}`]),
    ...(states === undefined ? [] : [Prisma.sql`state = ANY(${[...states]}::"JobState"[])`]),
    ...(name === undefined ? [] : [Prisma.sql`name = ${name}`]),
    ...(text === undefined ? [] : [Prisma.sql`(name ILIKE ${`%${literal(text)}%`} OR id = ${text})`]),
    ...(label === undefined ? [] : [labelled(label)]),
  ];
}

function labelled({ key, value }: NonNullable<JobFilter['label']>): Prisma.Sql {
  if (value === undefined) return Prisma.sql`spec -> 'labels' ? ${key}`;
  return Prisma.sql`spec -> 'labels' @> ${JSON.stringify({ [key]: value })}::jsonb`;
}

/** What LIKE takes for itself. */
function literal(text: string): string {
  return text.replaceAll(/[\\%_]/g, String.raw`\$&`);
}
