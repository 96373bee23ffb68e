import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type, type Static } from 'typebox';
import type { Clock } from '../../core/time.ts';
import type { Database, Sql } from '../../db/database.ts';
import { searchJobs, type JobFilter } from '../../jobs/search-store.ts';
import { readShownJobs } from '../../jobs/shown-store.ts';
import { listJobSummaries } from '../../jobs/summary-store.ts';
import { summaryOf } from '../../jobs/summary.ts';
import { jobView } from '../../jobs/view.ts';
import { Id, List, Page } from '../../protocol/common.ts';
import { Job, JobSummary, jobSorts, jobStates, type JobState } from '../../protocol/job.ts';
import { listedTenant, type Caller } from '../caller.ts';
import { sendJsonList } from '../json-text.ts';
import { pageOf, readCursor } from '../page.ts';

const JobQuery = Type.Object({
  ...Page.properties,
  state: Type.Optional(
    Type.String({
      pattern: `^(${jobStates.join('|')})(,(${jobStates.join('|')}))*$`,
      description: `One of ${jobStates.join(', ')}, or several with commas between.`,
    }),
  ),
  name: Type.Optional(Type.String({ description: 'The whole name.' })),
  q: Type.Optional(
    Type.String({ minLength: 1, maxLength: 200, description: 'Part of the name, in any case, or the id.' }),
  ),
  label: Type.Optional(
    Type.String({ minLength: 1, description: 'Such as project=vision; without a value: project, whatever it is.' }),
  ),
  sort: Type.Optional(
    Type.Enum([...jobSorts], { default: '-createdAt', description: 'With a dash the largest or latest first.' }),
  ),
  array: Type.Optional(
    Id(
      'job',
      'The tasks of this array that have become jobs, without its quote and its files; GET /v1/jobs/{job}/tasks lists all. Left out: jobs that are no tasks.',
    ),
  ),
  tenant: Type.Optional(Id('tenant', 'For operators: whose jobs. Left out: all.')),
});

const operations = {
  listJobs: {
    operationId: 'listJobs',
    tags: ['Jobs'],
    summary: 'List jobs, newest first',
    querystring: JobQuery,
    response: { 200: List(Job, 'JobList') },
  },
  listJobSummaries: {
    operationId: 'listJobSummaries',
    tags: ['Jobs'],
    summary: 'List jobs without their specs, quotes and attempts',
    description: 'As GET /v1/jobs, for tables: a hundred times smaller.',
    querystring: JobQuery,
    response: { 200: List(JobSummary, 'JobSummaryList') },
  },
};

export function jobListRoutes({ db, now }: { db: Database; now: Clock }): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/v1/jobs',
      {
        config: { access: 'viewer' },
        schema: operations.listJobs,
      },
      async ({ caller, query }, reply) => {
        const page = pageOf(query.limit);
        const ids = await searchJobs(db.client, filterOf(query, caller, page.take));
        const { items, nextCursor } = page.answer(ids, (id) => id);
        return sendJsonList(reply, { items: jobTexts(db.client, items, now()), nextCursor });
      },
    );
    app.get(
      '/v1/jobs/summaries',
      {
        config: { access: 'viewer' },
        schema: operations.listJobSummaries,
      },
      async ({ caller, query }) => {
        const page = pageOf(query.limit);
        const at = now();
        const jobs = await listJobSummaries(db.client, filterOf(query, caller, page.take), at);
        return page.answer(
          jobs.map((job) => summaryOf(job, at)),
          ({ id }) => id,
        );
      },
    );
  };
}

async function* jobTexts(sql: Sql, ids: readonly string[], at: Date): AsyncGenerator<string> {
  for await (const job of readShownJobs(sql, ids, at)) yield JSON.stringify(jobView(job, at));
}

function filterOf(query: Static<typeof JobQuery>, caller: Caller, limit: number): JobFilter {
  const { tenant, cursor, limit: _limit, state, q: text, label, ...filter } = query;
  const after = readCursor(cursor);
  return {
    ...filter,
    tenantId: listedTenant(caller, tenant),
    limit,
    ...(after === undefined ? {} : { after }),
    ...(state === undefined ? {} : { states: state.split(',') as JobState[] }),
    ...(text === undefined ? {} : { text }),
    ...(label === undefined ? {} : { label: labelOf(label) }),
  };
}

function labelOf(text: string): NonNullable<JobFilter['label']> {
  const [key = '', ...value] = text.split('=');
  return { key, value: value.length === 0 ? undefined : value.join('=') };
}
