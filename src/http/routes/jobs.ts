import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { notFound } from '../../core/errors.ts';
import type { Clock } from '../../core/time.ts';
import type { Database } from '../../db/database.ts';
import type { Cancel } from '../../jobs/cancel.ts';
import { readProgress } from '../../jobs/progress-store.ts';
import { findShownJob, type ShownJob } from '../../jobs/shown-store.ts';
import type { Submit } from '../../jobs/submit.ts';
import { jobView } from '../../jobs/view.ts';
import { Id } from '../../protocol/common.ts';
import { Job, JobProgress, NewJob } from '../../protocol/job.ts';
import { sees, TenantQuery, tenantOf, type Caller } from '../caller.ts';
import { sendJsonText } from '../json-text.ts';

export type JobRouteDeps = { db: Database; now: Clock; submit: Submit; cancel: Cancel };

const JobParams = Type.Object({ job: Id('job') });

const operations = {
  submitJob: {
    operationId: 'submitJob',
    tags: ['Jobs'],
    summary: 'Submit a job',
    description:
      'It waits until it may start. One that can never start is refused: 422, of a type that ends in `/can-never-start`, with its `blockers`.',
    querystring: Type.Object(TenantQuery),
    body: NewJob,
    response: { 201: Job },
  },
  getJob: { operationId: 'getJob', tags: ['Jobs'], summary: 'A job', params: JobParams, response: { 200: Job } },
  getJobProgress: {
    operationId: 'getJobProgress',
    tags: ['Jobs'],
    summary: 'What a job said of its progress over time, and what its machines use',
    params: JobParams,
    response: { 200: JobProgress },
  },
  cancelJob: {
    operationId: 'cancelJob',
    tags: ['Jobs'],
    summary: 'Cancel a job; again is the same',
    params: JobParams,
    response: { 200: Job },
  },
};

export function jobRoutes({ db, now, submit, cancel }: JobRouteDeps): FastifyPluginAsyncTypebox {
  const require = async (caller: Caller, jobId: string): Promise<ShownJob> => {
    const job = await findShownJob(db.client, jobId, now());
    if (job === undefined || !sees(caller, job.tenantId)) throw notFound('job', jobId);
    return job;
  };

  return async (app) => {
    app.post(
      '/v1/jobs',
      {
        config: { access: 'member', idempotent: 'job' },
        schema: operations.submitJob,
      },
      async (request, reply) => {
        const { newId, isCarriedOn, body } = request;
        // What is there is not looked at again as a new submission: it runs, or has ended, and what it was checked against has changed.
        const made = isCarriedOn ? await findShownJob(db.client, newId, now()) : undefined;
        reply.code(201);
        if (made !== undefined) return jobView(made, now());
        return sendJsonText(reply, await submit(tenantOf(request), body, newId));
      },
    );
    app.get(
      '/v1/jobs/:job',
      {
        config: { access: 'viewer' },
        schema: operations.getJob,
      },
      async ({ caller, params }) => jobView(await require(caller, params.job), now()),
    );
    app.get(
      '/v1/jobs/:job/progress',
      {
        config: { access: 'viewer' },
        schema: operations.getJobProgress,
      },
      async ({ caller, params }) => {
        const found = await readProgress(db.client, params.job);
        if (found === undefined || !sees(caller, found.tenantId)) throw notFound('job', params.job);
        return found.progress;
      },
    );
    app.post(
      '/v1/jobs/:job/cancel',
      {
        config: { access: 'member' },
        schema: operations.cancelJob,
      },
      async ({ caller, params }) => {
        await require(caller, params.job);
        await cancel(params.job, { actor: caller.actor, isOperator: caller.role === 'operator' });
        return jobView(await require(caller, params.job), now());
      },
    );
  };
}
