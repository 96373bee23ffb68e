import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { latestCheckpoint } from '../../src/artifacts/checkpoint-store.ts';
import { promote } from '../../src/artifacts/store.ts';
import { newId } from '../../src/core/ids.ts';
import type { Database } from '../../src/db/database.ts';
import { artifactRoutes, checkpointRoutes } from '../../src/http/routes/artifacts.ts';
import { runnerUploadRoutes } from '../../src/http/routes/runner-uploads.ts';
import { test as base } from '../support/database.ts';
import { md5Of, put } from './bucket-contract.ts';
import { insertRunningJob, startAttempt, type RunningJob } from './job-rows.ts';
import { createTestApp, startObjectServer, type ObjectServer } from './object-server.ts';

let objects: ObjectServer;
beforeAll(async () => {
  objects = await startObjectServer();
});
afterAll(() => objects.close());

/** The routes with a caller of the tenant named in the header `tenant`, or the operator. */
const test = base.extend<{ app: FastifyInstance }>({
  app: async ({ db }, use) => {
    const deps = {
      db,
      bucket: objects.bucket,
      residence: async () => null,
      now: () => new Date(),
      uploadMs: 60_000,
      downloadMs: 60_000,
    };
    const app = createTestApp();
    app.addHook('onRequest', async (request) => {
      const tenantId = request.headers['tenant'];
      request.caller =
        typeof tenantId === 'string'
          ? { actor: 'key', role: 'viewer', tenantId }
          : { actor: 'key', role: 'operator', tenantId: null };
    });
    await app.register(artifactRoutes(deps));
    await app.register(checkpointRoutes(deps));
    await app.register(runnerUploadRoutes(deps));
    await use(app);
    await app.close();
  },
});

type File = { path: string; text: string; kind?: 'output' | 'checkpoint'; attempt?: number };

function announced({ path, text, kind = 'output', attempt = 1 }: File) {
  const bytes = Buffer.from(text);
  return {
    attempt,
    path,
    kind,
    sizeBytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    md5: md5Of(bytes),
  };
}

async function ask(
  app: FastifyInstance,
  token: string,
  file: File,
): Promise<{ statusCode: number; id: string; url: string | null; type: string }> {
  const answer = await app.inject({
    method: 'POST',
    url: '/v1/runner/uploads',
    headers: { authorization: `Bearer ${token}` },
    payload: announced(file),
  });
  const ticket: { id: string; url: string | null; type: string } = answer.json();
  return { statusCode: answer.statusCode, ...ticket };
}

function complete(app: FastifyInstance, token: string, id: string, attempt = 1) {
  return app.inject({
    method: 'POST',
    url: `/v1/runner/uploads/${id}/complete`,
    headers: { authorization: `Bearer ${token}` },
    payload: { attempt },
  });
}

async function store(app: FastifyInstance, token: string, file: File): Promise<string> {
  const { id, url } = await ask(app, token, file);
  if (url !== null) expect((await put(url, file.text)).status).toBe(200);
  expect((await complete(app, token, id, file.attempt)).statusCode).toBe(204);
  return id;
}

async function list(
  app: FastifyInstance,
  { jobId, tenantId }: RunningJob,
  query = '',
): Promise<{ items: { path: string; attempt: number; sizeBytes: number }[]; nextCursor: string | null }> {
  return (await app.inject({ url: `/v1/jobs/${jobId}/artifacts${query}`, headers: { tenant: tenantId } })).json();
}

async function download(app: FastifyInstance, { jobId, tenantId }: RunningJob, path: string): Promise<string> {
  const answer = await app.inject({ url: `/v1/jobs/${jobId}/artifacts/${path}`, headers: { tenant: tenantId } });
  expect(answer.statusCode).toBe(302);
  return (await fetch(String(answer.headers.location))).text();
}

const problem = (code: string) => `http://127.0.0.1/problems/${code}`;

const accept = (db: Database, { jobId }: RunningJob, attempt = 1) =>
  db.transaction((tx) => promote(tx, jobId, attempt, new Date()));

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
