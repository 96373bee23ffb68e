import { createHash } from 'node:crypto';
import { describe, expect } from 'vitest';
import { newId } from '../../src/core/ids.ts';
import { accept, ask, complete, download, list, objects, problem, store, test } from './artifact-app.ts';
import { put } from './bucket-contract.ts';
import { insertRunningJob, startAttempt } from './job-rows.ts';

describe('a runner’s file', () => {
  test('is the job’s artifact once its attempt’s report is accepted', async ({ db, app }) => {
    const job = await insertRunningJob(db);
    await store(app, job.token, { path: 'out/größe 1.txt', text: 'large' });
    expect((await list(app, job)).items).toEqual([]);

    await accept(db, job);
    expect((await list(app, job)).items).toEqual([
      {
        path: 'out/größe 1.txt',
        sizeBytes: 5,
        sha256: createHash('sha256').update('large').digest('hex'),
        attempt: 1,
        createdAt: expect.stringMatching(/Z$/),
      },
    ]);
    expect(await download(app, job, encodeURIComponent('out/größe 1.txt'))).toBe('large');
    expect(await download(app, job, 'out/gr%C3%B6%C3%9Fe%201.txt')).toBe('large');
  });

  test('with another checksum is refused, dropped and never an artifact', async ({ db, app }) => {
    const job = await insertRunningJob(db);
    const { id, url } = await ask(app, job.token, { path: 'model', text: 'right' });
    await put(url ?? '', 'wrong');
    const refused = await complete(app, job.token, id);
    expect(refused.json()).toMatchObject({
      status: 422,
      type: problem('checksum-mismatch'),
      detail: expect.stringContaining('model arrived with 5 bytes'),
    });
    const row = await db.client.artifact.findUniqueOrThrow({ where: { id } });
    expect(await objects.bucket.stat(row.objectKey)).toBeUndefined();
    await accept(db, job);
    expect((await list(app, job)).items).toEqual([]);

    const again = await ask(app, job.token, { path: 'model', text: 'right' });
    expect(again.id).toBe(id);
    await put(again.url ?? '', 'right');
    expect((await complete(app, job.token, id)).statusCode).toBe(204);
  });

  test('is the same however often it is asked for and completed', async ({ db, app }) => {
    const job = await insertRunningJob(db);
    const file = { path: 'out/a', text: 'same' };
    const first = await ask(app, job.token, file);
    const second = await ask(app, job.token, file);
    expect(second.id).toBe(first.id);
    await put(second.url ?? '', 'same');
    expect(await ask(app, job.token, file)).toMatchObject({ id: first.id, url: null });
    for (const _time of [1, 2]) expect((await complete(app, job.token, first.id)).statusCode).toBe(204);
    await accept(db, job);
    await accept(db, job);
    expect((await list(app, job)).items).toHaveLength(1);
  });

  test('can’t be completed before its bytes are there', async ({ db, app }) => {
    const job = await insertRunningJob(db);
    const { id, url } = await ask(app, job.token, { path: 'out/a', text: 'hello' });
    await put(url ?? '', 'he', 'bytes 0-1/5');
    expect((await complete(app, job.token, id)).json()).toMatchObject({ type: problem('conflict') });
  });

  test.for(['../escape', '/etc/passwd', 'a/../../b', 'a//b', 'a\u0000b'])(
    'has no path like %j',
    async (path, { db, app }) => {
      const job = await insertRunningJob(db);
      expect(await ask(app, job.token, { path, text: 'x' })).toMatchObject({
        statusCode: 400,
        type: problem('invalid'),
      });
    },
  );

  test('is nobody else’s to complete', async ({ db, app }) => {
    const [mine, theirs] = [await insertRunningJob(db), await insertRunningJob(db)];
    const { id, url } = await ask(app, mine.token, { path: 'out/a', text: 'mine' });
    await put(url ?? '', 'mine');
    expect((await complete(app, theirs.token, id)).statusCode).toBe(404);
    expect((await complete(app, 'no-such-token', id)).statusCode).toBe(401);
  });

  test('of an attempt that is over is refused, and what it stored unreported is no artifact', async ({ db, app }) => {
    const job = await insertRunningJob(db);
    await store(app, job.token, { path: 'out/a', text: 'of the first' });
    const late = await ask(app, job.token, { path: 'out/late', text: 'late' });
    const token = await startAttempt(db, job, 2);
    await put(late.url ?? '', 'late');
    expect((await complete(app, job.token, late.id)).json()).toMatchObject({ type: problem('stale-attempt') });
    expect((await ask(app, job.token, { path: 'out/b', text: 'b' })).type).toBe(problem('stale-attempt'));

    await store(app, token, { path: 'out/a', text: 'of the second', attempt: 2 });
    await accept(db, job, 2);
    expect((await list(app, job)).items.map(({ path, attempt }) => [path, attempt])).toEqual([['out/a', 2]]);
    expect(await download(app, job, 'out/a')).toBe('of the second');
  });
});

describe('a job’s artifacts', () => {
  test('of two reported attempts show the newest of each path', async ({ db, app }) => {
    const job = await insertRunningJob(db);
    for (const path of ['out/a', 'out/b']) await store(app, job.token, { path, text: 'first' });
    await store(app, job.token, { path: 'out/a', text: 'first, rewritten' });
    await accept(db, job, 1);
    expect(await download(app, job, 'out/a')).toBe('first, rewritten');

    const token = await startAttempt(db, job, 2);
    await store(app, token, { path: 'out/a', text: 'second', attempt: 2 });
    await accept(db, job, 2);
    expect((await list(app, job)).items.map(({ path, attempt }) => [path, attempt])).toEqual([
      ['out/a', 2],
      ['out/b', 1],
    ]);
    expect(await download(app, job, 'out/a')).toBe('second');
    expect(await download(app, job, 'out/b')).toBe('first');
  });

  test('come in pages, in the order of their paths', async ({ db, app }) => {
    const job = await insertRunningJob(db);
    for (const path of ['c/模型', 'a', 'b/größe']) await store(app, job.token, { path, text: path });
    await accept(db, job);
    const first = await list(app, job, '?limit=2');
    expect(first.items.map(({ path }) => path)).toEqual(['a', 'b/größe']);
    const second = await list(app, job, `?limit=2&cursor=${first.nextCursor}`);
    expect([second.items.map(({ path }) => path), second.nextCursor]).toEqual([['c/模型'], null]);
    const forged = await app.inject({ url: `/v1/jobs/${job.jobId}/artifacts?cursor=AAAA` });
    expect(forged.json()).toMatchObject({ status: 400, errors: [{ pointer: '?cursor' }] });
  });

  test('are 404 for another tenant, not for the operator', async ({ db, app }) => {
    const [mine, theirs] = [await insertRunningJob(db), await insertRunningJob(db)];
    await store(app, mine.token, { path: 'a', text: 'mine' });
    await accept(db, mine);
    for (const url of [`/v1/jobs/${mine.jobId}/artifacts`, `/v1/jobs/${mine.jobId}/artifacts/a`]) {
      expect((await app.inject({ url, headers: { tenant: theirs.tenantId } })).statusCode).toBe(404);
      expect((await app.inject({ url })).statusCode).toBeLessThan(400);
      expect(
        (await app.inject({ url: url.replace(mine.jobId, newId('job')), headers: { tenant: mine.tenantId } }))
          .statusCode,
      ).toBe(404);
    }
    expect(
      (await app.inject({ url: `/v1/jobs/${mine.jobId}/artifacts/none`, headers: { tenant: mine.tenantId } }))
        .statusCode,
    ).toBe(404);
  });
});
