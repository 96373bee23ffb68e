import type { Prisma, Sql } from '../db/database.ts';
import type { Job, JobState } from '../protocol/job.ts';
import type { Quote } from '../protocol/quote.ts';
import { readTaskSpecs } from './array-store.ts';
import { readArrays, type ArrayReading } from './array-reading-store.ts';
import { listUnmet, type Upstream } from './dependency-store.ts';
import { readTails } from './queue-tail.ts';
import { toQuote } from '../quotes/former.ts';

/** A job with all that its answer shows. */
const shown = {
  attempts: { orderBy: { number: 'asc' }, include: { instances: { orderBy: { node: 'asc' } } } },
} as const satisfies Prisma.JobInclude;

type JobRow = Prisma.JobGetPayload<{ include: typeof shown }>;

export type ShownJob = JobRow & {
  quote: Quote | null;
  /** Of an array: what its tasks are doing. */
  tasks: ArrayReading | null;
  /** What it waits for before it stands in the queue. */
  upstream: ShownUpstream[];
  /** Where no cycle has looked at it yet: what is known from those before it in its tenant's queue. */
  tail: Job['waiting'] | undefined;
};

/** A job that another waits for, as far as it tells until when. */
export type ShownUpstream = Upstream & { row: Omit<ShownJob, 'upstream' | 'tail'> };

/** How far places in a queue are counted for one job, and for each of a list. */
const mostPlaces = { one: 1_000_000, ofList: 10_000 };

export async function findShownJob(sql: Sql, jobId: string, now: Date): Promise<ShownJob | undefined> {
  const job = await sql.job.findUnique({ where: { id: jobId }, include: shown });
  if (job === null) return undefined;
  const [whole] = await join(sql, [job], now, mostPlaces.one);
  return whole;
}

export type JobFilter = {
  tenantId: string | null;
  state?: JobState;
  name?: string;
  /** Whose tasks; left out: jobs that are no tasks. */
  array?: string;
  after?: string;
  limit: number;
};

/** Newest first. */
export async function listShownJobs(
  sql: Sql,
  { tenantId, state, name, array, after, limit }: JobFilter,
  now: Date,
): Promise<ShownJob[]> {
  const jobs = await sql.job.findMany({
    where: {
      arrayId: array ?? null,
      ...(tenantId === null ? {} : { tenantId }),
      ...(state === undefined ? {} : { state }),
      ...(name === undefined ? {} : { name }),
      ...(after === undefined ? {} : { id: { lt: after } }),
    },
    orderBy: { id: 'desc' },
    take: limit,
    include: shown,
  });
  return join(sql, jobs, now, mostPlaces.ofList);
}

async function join(sql: Sql, jobs: JobRow[], now: Date, places: number): Promise<ShownJob[]> {
  const unexplained = jobs.filter((job) => job.state === 'queued' && !job.held && job.waiting === null);
  const tails = await readTails(
    sql,
    unexplained.map(({ id }) => id),
    places,
  );
  const held = jobs.filter((job) => job.held && job.state === 'queued').map(({ id }) => id);
  const unmet = await listUnmet(sql, held);
  const upstreamIds = [...new Set(unmet.map(({ job }) => job))];
  const rows = await sql.job.findMany({ where: { id: { in: upstreamIds } }, include: shown });
  const upstream = new Map((await joinParts(sql, rows, now)).map((row) => [row.id, row]));
  const shownJobs = await joinParts(sql, jobs, now);
  return shownJobs.map((job) => ({
    ...job,
    tail: tails.get(job.id),
    upstream: unmet.flatMap((each) => {
      const row = each.jobId === job.id ? upstream.get(each.job) : undefined;
      return row === undefined ? [] : [{ ...each, row }];
    }),
  }));
}

async function joinParts(sql: Sql, jobs: JobRow[], now: Date): Promise<Omit<ShownJob, 'upstream' | 'tail'>[]> {
  if (jobs.length === 0) return [];
  const quotes = await sql.quote.findMany({
    where: { id: { in: jobs.map((job) => job.quoteId) } },
    select: { id: true, answer: true },
  });
  const answers = new Map(quotes.map(({ id, answer }) => [id, toQuote(answer)]));
  const held = jobs.filter((job) => job.held).map(({ id }) => id);
  const arrays = await readArrays(sql, held, now);
  const taskKeys = jobs.flatMap(({ arrayId, arrayIndex }) =>
    arrayId === null || arrayIndex === null ? [] : [{ arrayId, arrayIndex }],
  );
  const specOf = await readTaskSpecs(sql, taskKeys);
  return jobs.map((job) => {
    const { arrayId, arrayIndex } = job;
    const spec = arrayId === null || arrayIndex === null ? undefined : specOf({ arrayId, arrayIndex });
    return {
      ...job,
      ...(spec === undefined ? {} : { spec: spec as Prisma.JsonObject }),
      quote: answers.get(job.quoteId) ?? null,
      tasks: arrays.get(job.id) ?? null,
    };
  });
}
