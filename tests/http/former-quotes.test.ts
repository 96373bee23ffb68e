import { expect } from 'vitest';
import { newId } from '../../src/core/ids.ts';
import type { Job } from '../../src/protocol/job.ts';
import type { JobSpec } from '../../src/protocol/job-spec.ts';
import { recordResiduals } from '../../src/quotes/calibrate.ts';
import { openApp, sampleQuote, test } from '../support/app.ts';

const spec: JobSpec = { name: 'train', command: 'true' };

/** As the first version of weir stored it: without phases, the Pareto front, most parts of the costs and the most telling field. */
function formerQuote(expiresInMs: number) {
  const { workload, options, ...quote } = sampleQuote(newId('quote'));
  const { flops, basis, assumptions } = workload;
  const expiresAt = new Date(Date.now() + expiresInMs).toISOString();
  const former = options.map(({ id, offer, durationSeconds, costUsd, start, feasible, reasons }) => {
    const breakdown = { computeUsd: 0.003, provisioningUsd: 0, preemptionUsd: 0, storageUsd: 0, egressUsd: 0 };
    return { id, offer, durationSeconds, costUsd, breakdown, start, feasible, reasons };
  });
  return { ...quote, expiresAt, workload: { flops, basis, assumptions }, options: former };
}

const filled = {
  workload: { mostTelling: null },
  options: [
    {
      pareto: false,
      breakdown: { computeUsd: 0.003, setupUsd: 0, checkpointUsd: 0 },
      phases: { provisioningSeconds: 1, trainingSeconds: 600, setupSeconds: 0 },
    },
  ],
};

test('a quote of an earlier version is served, scaled, submitted with, requoted, forecast by and learned from', async ({
  db,
}) => {
  const { ask, tenant, close } = await openApp(db);
  const { id: tenantId, keys } = await tenant('vision');
  const store = async (expiresInMs: number): Promise<string> => {
    const { id, createdAt, expiresAt, ...rest } = formerQuote(expiresInMs);
    const answer = { id, createdAt, expiresAt, ...rest };
    await db.client.quote.create({ data: { id, tenantId, spec: spec as object, answer, createdAt, expiresAt } });
    return id;
  };
  const id = await store(60_000);
  const got = await ask(keys.viewer, `GET /v1/quotes/${id}`);
  expect(got.statusCode).toBe(200);
  expect(got.json()).toMatchObject({ id, ...filled });
  const scaling = await ask(keys.viewer, `GET /v1/quotes/${id}/scaling`);
  expect(scaling.json().points).toMatchObject([
    { accelerators: { kind: 'cpu', count: 1 }, durationSeconds: { p50: 600 } },
  ]);

  const submitted = await ask(keys.member, 'POST /v1/jobs', { ...spec, quoteId: id });
  expect(submitted.statusCode).toBe(201);
  expect(submitted.json().quote).toMatchObject({ id, ...filled });
  const requoted = await ask(keys.member, 'POST /v1/jobs', { ...spec, quoteId: await store(-60_000) });
  expect(requoted.statusCode).toBe(201);

  const job: Job = submitted.json();
  const [startedAt, end] = [new Date(Date.now() - 300_000), new Date()];
  const [option] = job.quote?.options ?? [];
  const attempt = { id: newId('attempt'), jobId: job.id, tenantId, number: 1, createdAt: startedAt, startedAt };
  const offer = option?.offer ?? {};
  await db.client.attempt.create({
    data: { ...attempt, state: 'running', offer, limits: {}, leaseExpiresAt: end },
  });
  await db.client.job.update({ where: { id: job.id }, data: { state: 'running', startedAt, attemptNumber: 1 } });
  const running: Job = (await ask(keys.viewer, `GET /v1/jobs/${job.id}`)).json();
  const eta = Date.parse(running.progress?.eta.p50 ?? '');
  expect(Math.abs(eta - (startedAt.getTime() + 600_000))).toBeLessThan(60_000);
  expect((await ask(keys.viewer, 'GET /v1/jobs')).json().items[0].quote.options).toHaveLength(1);

  await db.client.attempt.updateMany({ where: { jobId: job.id }, data: { state: 'succeeded', finishedAt: end } });
  await db.client.job.update({ where: { id: job.id }, data: { state: 'succeeded', finishedAt: end } });
  await recordResiduals(db.client, [job.id]);
  expect((await ask(keys.viewer, 'GET /v1/quotes/accuracy')).json()).toMatchObject({ finishedJobs: 1 });
  await close();
});
