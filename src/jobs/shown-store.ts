import type { Prisma, Sql } from '../db/database.ts';
import type { Job } from '../protocol/job.ts';
import type { Quote } from '../protocol/quote.ts';
import { readTaskSpecs } from './array-store.ts';
import { readArrays, type ArrayReading } from './array-reading-store.ts';
import { listUnmet, type Upstream } from './dependency-store.ts';
import { readLightRows, shown, type JobRow, type LightRow } from './job-rows.ts';
import { readTails } from './queue-tail.ts';
import { storedAnswer, unpack } from '../quotes/packed.ts';

/** What of a job stands in other tables. */
type Parts = {
  quote: Quote | null;
  /** Of an array: what its tasks are doing. */
  tasks: ArrayReading | null;
};

export type ShownJob = JobRow &
  Parts & {
    /** What it waits for before it stands in the queue. */
    upstream: ShownUpstream[];
    /** Where no cycle has looked at it yet: what is known from those before it in its tenant's queue. */
    tail: Job['waiting'] | undefined;
  };

/** A job that another waits for, as far as it tells until when. */
export type ShownUpstream = Upstream & { row: Parts & LightRow };

/** How far places in a queue are counted for one job, and for each of a list. */
const mostPlaces = { one: 1_000_000, ofList: 10_000 };

export async function findShownJob(sql: Sql, jobId: string, now: Date): Promise<ShownJob | undefined> {
  const job = await sql.job.findUnique({ where: { id: jobId }, include: shown });
  if (job === null) return undefined;
  const [whole] = await joinJobs(sql, [job], { now, places: mostPlaces.one, isWhole: true });
  return whole;
}

/** Quotes may be hundreds of kilobytes each: of a long list so many are held at once. */
const heldAtOnce = 20;

/** These jobs, in this order. Tasks come without what is the same for all of an array: the quote and the files. */
export async function* readShownJobs(sql: Sql, ids: readonly string[], now: Date): AsyncGenerator<ShownJob> {
  for (let from = 0; from < ids.length; from += heldAtOnce) {
    const some = ids.slice(from, from + heldAtOnce);
    const rows = await sql.job.findMany({ where: { id: { in: some } }, include: shown });
    const joined = await joinJobs(sql, rows, { now, places: mostPlaces.ofList, isWhole: true });
    const jobs = new Map(joined.map((job) => [job.id, job]));
    for (const id of some) {
      const job = jobs.get(id);
      if (job !== undefined) yield job.arrayId === null ? job : withoutShared(job);
    }
  }
}

function withoutShared(task: ShownJob): ShownJob {
  const { files: _files, ...spec } = task.spec as Prisma.JsonObject;
  return { ...task, spec, quote: null };
}

export type Joining = {
  now: Date;
  /** How far places in a queue are counted. */
  places: number;
  /** Whether with their quotes and, of tasks, the whole of their specs. */
  isWhole: boolean;
};

/** Adds to rows of jobs what stands elsewhere. */
export async function joinJobs<Row extends JobRow>(
  sql: Sql,
  jobs: Row[],
  { now, places, isWhole }: Joining,
): Promise<(Row & ShownJob)[]> {
  const unexplained = jobs.filter((job) => job.state === 'queued' && !job.held && job.waiting === null);
  const tails = await readTails(
    sql,
    unexplained.map(({ id }) => id),
    places,
  );
  const held = jobs.filter((job) => job.held && job.state === 'queued').map(({ id }) => id);
  const unmet = await listUnmet(sql, held);
  const upstreamIds = [...new Set(unmet.map(({ job }) => job))];
  const rows = await joinParts(sql, await readLightRows(sql, upstreamIds), { now, isWhole: false });
  const upstream = new Map(rows.map((row) => [row.id, row]));
  const unmetOf = Map.groupBy(unmet, ({ jobId }) => jobId);
  const shownJobs = await joinParts(sql, jobs, { now, isWhole });
  return shownJobs.map((job) => ({
    ...job,
    tail: tails.get(job.id),
    upstream: (unmetOf.get(job.id) ?? []).flatMap((each) => {
      const row = upstream.get(each.job);
      return row === undefined ? [] : [{ ...each, row }];
    }),
  }));
}

async function joinParts<Row extends JobRow>(
  sql: Sql,
  jobs: Row[],
  { now, isWhole }: Omit<Joining, 'places'>,
): Promise<(Row & Parts)[]> {
  if (jobs.length === 0) return [];
  const quotes = await sql.quote.findMany({
    where: { id: { in: isWhole ? jobs.map((job) => job.quoteId) : [] } },
    select: { id: true, ...storedAnswer },
  });
  const answers = new Map(quotes.map((quote) => [quote.id, unpack(quote)]));
  const held = jobs.filter((job) => job.held).map(({ id }) => id);
  const arrays = await readArrays(sql, held, now);
  const taskKeys = jobs.flatMap(({ arrayId, arrayIndex }) =>
    arrayId === null || arrayIndex === null || !isWhole ? [] : [{ arrayId, arrayIndex }],
  );
  const specOf = await readTaskSpecs(sql, taskKeys);
  return jobs.map((job) => {
    const { arrayId, arrayIndex } = job;
    const spec = arrayId === null || arrayIndex === null || !isWhole ? undefined : specOf({ arrayId, arrayIndex });
    return {
      ...job,
      ...(spec === undefined ? {} : { spec: spec as Prisma.JsonObject }),
      quote: answers.get(job.quoteId) ?? null,
      tasks: arrays.get(job.id) ?? null,
    };
  });
}
