import type { FastifyInstance } from 'fastify';
import { describe, expect } from 'vitest';
import { latestCheckpoint } from '../../src/artifacts/checkpoint-store.ts';
import { listPromoted } from '../../src/artifacts/store.ts';
import { accept, ask, list, problem, store, test } from './artifact-app.ts';
import { put } from './bucket-contract.ts';
import { insertRunningJob, startAttempt, startNode, type RunningJob } from './job-rows.ts';

describe('the last checkpoint', () => {
  const save = (app: FastifyInstance, token: string, [path, text]: [string, string], attempt = 1) =>
    store(app, token, { path, text, kind: 'checkpoint', attempt });
  const name = (app: FastifyInstance, token: string, artifacts: string[], attempt = 1) =>
    app.inject({
      method: 'POST',
      url: '/v1/runner/checkpoint',
      headers: { authorization: `Bearer ${token}` },
      payload: { attempt, artifacts },
    });
  const shown = async (app: FastifyInstance, { jobId, tenantId }: RunningJob) => {
    const answer = await app.inject({ url: `/v1/jobs/${jobId}/checkpoints`, headers: { tenant: tenantId } });
    return answer
      .json<{ items: { path: string; attempt: number }[] }>()
      .items.map((item) => `${item.path} ${item.attempt}`);
  };

  test('is what its runner last named together, without what the job has removed since', async ({ db, app }) => {
    const job = await insertRunningJob(db);
    const first = await save(app, job.token, ['ckpt/1/model', 'epoch 1']);
    expect(await shown(app, job)).toEqual([]);
    expect((await name(app, job.token, [first])).statusCode).toBe(204);
    const second = await save(app, job.token, ['ckpt/2/model', 'epoch 2']);
    // A part of the next one does not mix with it.
    expect(await shown(app, job)).toEqual(['ckpt/1/model 1']);
    const rest = await save(app, job.token, ['ckpt/2/optimiser', 'epoch 2']);
    for (const _time of [1, 2]) expect((await name(app, job.token, [second, rest])).statusCode).toBe(204);
    expect(await shown(app, job)).toEqual(['ckpt/2/model 1', 'ckpt/2/optimiser 1']);

    await accept(db, job);
    expect((await list(app, job)).items.map(({ path }) => path)).toEqual(['ckpt/2/model', 'ckpt/2/optimiser']);
  });

  test('and the artifacts have the first node’s file where several nodes wrote to one path', async ({ db, app }) => {
    const job = await insertRunningJob(db);
    const { id: attemptId } = await db.client.attempt.findFirstOrThrow({ where: { jobId: job.jobId } });
    const second = await startNode(db, { ...job, attemptId, node: 1 });
    await name(app, job.token, [await save(app, job.token, ['ckpt/model', 'of the first'])]);
    await name(app, second, [await save(app, second, ['ckpt/model', 'of the second'])]);
    for (const [token, text] of [
      [job.token, 'first'],
      [second, 'second'],
    ] as const)
      await store(app, token, { path: 'out', text });
    const bytesOf = (items: { sizeBytes: number | bigint }[]) => items.map(({ sizeBytes }) => Number(sizeBytes));
    expect(bytesOf(await latestCheckpoint(db.client, job.jobId))).toEqual(['of the first'.length]);
    await accept(db, job);
    const kept = await listPromoted(db.client, job.jobId, { after: '', take: 10 });
    expect(bytesOf(kept)).toEqual(['of the first'.length, 'first'.length]);
  });

  test('of a lost attempt stands until a later attempt names one', async ({ db, app }) => {
    const job = await insertRunningJob(db);
    await name(app, job.token, [
      await save(app, job.token, ['ckpt/1', 'epoch 1']),
      await save(app, job.token, ['ckpt/2', 'epoch 2']),
    ]);
    const token = await startAttempt(db, job, 2);
    const next = await save(app, token, ['ckpt/2', 'epoch 3'], 2);
    expect(await shown(app, job)).toEqual(['ckpt/1 1', 'ckpt/2 1']);
    await name(app, token, [next], 2);
    expect(await shown(app, job)).toEqual(['ckpt/2 2']);
    const [file] = await latestCheckpoint(db.client, job.jobId);
    expect(file?.objectKey).toContain(`/jobs/${job.jobId}/attempts/2/art_`);
  });

  test('has no file that was not completed, nor one of another job', async ({ db, app }) => {
    const [job, other] = [await insertRunningJob(db), await insertRunningJob(db)];
    const whole = await save(app, job.token, ['ckpt/model', 'epoch 1']);
    const torn = await ask(app, job.token, { path: 'ckpt/optimiser', text: 'epoch 1', kind: 'checkpoint' });
    await put(torn.url ?? '', 'epo', 'bytes 0-2/7');
    const theirs = await save(app, other.token, ['ckpt/model', 'epoch 1']);
    for (const strange of [torn.id, theirs])
      expect((await name(app, job.token, [whole, strange])).json()).toMatchObject({ type: problem('conflict') });
    expect(await shown(app, job)).toEqual([]);
    expect((await name(app, job.token, [whole], 2)).json()).toMatchObject({ type: problem('stale-attempt') });
  });
});
