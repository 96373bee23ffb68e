import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { createJobDownloads } from '../../src/artifacts/download.ts';
import { artifactKey } from '../../src/artifacts/names.ts';
import { lifecycleRules, removeLeftovers, removeOldArtifacts } from '../../src/artifacts/retention.ts';
import { createUpload, requireUploads, resolveUpload } from '../../src/artifacts/upload.ts';
import { newId } from '../../src/core/ids.ts';
import { dayMs, hourMs } from '../../src/core/time.ts';
import type { Database } from '../../src/db/database.ts';
import type { NewUpload } from '../../src/protocol/job.ts';
import { test as base } from '../support/database.ts';
import { put } from './bucket-contract.ts';
import { insertRunningJob, startAttempt } from './job-rows.ts';
import { startObjectServer, type ObjectServer } from './object-server.ts';

let objects: ObjectServer;
beforeAll(async () => {
  objects = await startObjectServer();
});
afterAll(() => objects.close());

const uploadMs = 24 * hourMs;

/** Deps whose clock stands `aheadMs` from now. */
function depsAt(db: Database, aheadMs = 0) {
  const now = () => new Date(Date.now() + aheadMs);
  const onError = (error: unknown): void => {
    throw error;
  };
  return { db, bucket: objects.bucket, residence: async () => null, now, uploadMs, downloadMs: uploadMs, onError };
}

const test = base.extend<{
  make: (tenantId: string, wanted?: NewUpload) => Promise<{ uri: string; url: string; id: string }>;
}>({
  make: async ({ db }, use) => {
    await use((tenantId, wanted = {}) => createUpload(depsAt(db))(tenantId, wanted, newId('upload')));
  },
});

describe('an upload', () => {
  test('is a URL to PUT to and a name for specs', async ({ db, make }) => {
    const tenantId = newId('tenant');
    const upload = await make(tenantId, { name: 'code.tar', sizeBytes: 5 });
    expect(upload).toMatchObject({ uri: `weir://uploads/${upload.id}`, method: 'PUT', headers: {} });
    expect((await put(upload.url, 'hello')).status).toBe(200);
    expect(await resolveUpload(depsAt(db), tenantId, { uri: upload.uri, pointer: '/source' })).toMatchObject({
      id: upload.id,
      name: 'code.tar',
    });
  });

  test('whose bytes are not of the announced checksum was never made', async ({ db, make }) => {
    const tenantId = newId('tenant');
    const upload = await make(tenantId, { sha256: 'a'.repeat(64) });
    expect((await put(upload.url, 'hello')).status).toBe(422);
    await expect(resolveUpload(depsAt(db), tenantId, { uri: upload.uri, pointer: '/source' })).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining('never arrived'),
    });
  });

  test('of bytes that the tenant has sent before is the one that it was, and is kept for longer', async ({ db }) => {
    const [tenantId, other] = [newId('tenant'), newId('tenant')];
    const wanted = { sha256: createHash('sha256').update('hello').digest('hex'), sizeBytes: 5 };
    const make = (aheadMs: number, tenant = tenantId, bytes: NewUpload = wanted) =>
      createUpload(depsAt(db, aheadMs))(tenant, bytes, newId('upload'));
    const unsent = await make(0);
    const sent = await make(0);
    expect([unsent.complete, sent.complete]).toEqual([false, false]);
    await put(sent.url, 'hello');
    await make(0);
    const again = await make(hourMs);
    expect(again).toMatchObject({ id: sent.id, uri: sent.uri, complete: true });
    expect(Date.parse(again.expiresAt) - Date.parse(sent.expiresAt)).toBeGreaterThanOrEqual(hourMs);
    await resolveUpload(depsAt(db, uploadMs + hourMs / 2), tenantId, { uri: sent.uri, pointer: '/source' });
    // A client that does not look sends them again, and finds them as they were.
    expect((await put(again.url, 'hello')).status).toBe(200);

    for (const fresh of [
      await make(0, other),
      await make(0, tenantId, { ...wanted, sizeBytes: 6 }),
      await make(0, tenantId, { sha256: wanted.sha256 }),
      await make(2 * uploadMs),
    ])
      expect(fresh).toMatchObject({ complete: false, id: expect.not.stringMatching(sent.id) });
  });

  test('is as good as none for another tenant', async ({ db, make }) => {
    const upload = await make(newId('tenant'));
    await put(upload.url, 'hello');
    const asked = { uri: upload.uri, pointer: '/source' };
    await expect(resolveUpload(depsAt(db), newId('tenant'), asked)).rejects.toMatchObject({
      code: 'not-found',
      message: `There is no upload ${upload.uri}.`,
    });
    await expect(
      resolveUpload(depsAt(db), newId('tenant'), { ...asked, uri: 'weir://uploads/nonsense' }),
    ).rejects.toMatchObject({ code: 'not-found' });
  });

  test('can’t be used before its bytes arrived, after it expired, or with another size than announced', async ({
    db,
    make,
  }) => {
    const tenantId = newId('tenant');
    const [empty, old, short] = [await make(tenantId), await make(tenantId), await make(tenantId)];
    for (const { url } of [old, short]) await put(url, 'hello');
    await db.client.upload.update({ where: { id: short.id }, data: { sizeBytes: 6 } });
    const at = (uri: string) => ({ uri, pointer: '/source' });
    await expect(resolveUpload(depsAt(db), tenantId, at(empty.uri))).rejects.toThrow('never arrived');
    await expect(resolveUpload(depsAt(db, uploadMs + 1), tenantId, at(old.uri))).rejects.toThrow('expired');
    await expect(resolveUpload(depsAt(db), tenantId, at(short.uri))).rejects.toThrow(
      '5 bytes instead of the 6 announced',
    );
  });

  test('that a spec names wrongly is a fault at its place, all of them together', async ({ db, make }) => {
    const tenantId = newId('tenant');
    const [theirs, empty] = [await make(newId('tenant')), await make(tenantId)];
    const spec = {
      name: 'a',
      command: 'true',
      source: theirs.uri,
      inputs: [
        { uri: 'https://example.com/a', path: 'a' },
        { uri: empty.uri, path: 'b' },
      ],
    };
    await expect(requireUploads(depsAt(db), tenantId, spec)).rejects.toMatchObject({
      code: 'invalid',
      faults: [
        { pointer: '/source', detail: `There is no upload ${theirs.uri}.` },
        { pointer: '/inputs/1/uri', detail: expect.stringContaining('never arrived') },
      ],
    });
  });

  test('reaches the runner as a signed URL', async ({ db, make }) => {
    const tenantId = newId('tenant');
    const sha256 = createHash('sha256').update('hello').digest('hex');
    const upload = await make(tenantId, { sha256, sizeBytes: 5 });
    await put(upload.url, 'hello');
    const spec = { name: 'a', command: 'true', source: upload.uri, inputs: [{ uri: 'gs://b/c', path: 'data' }] };
    const { source, inputs, checkpoint } = await createJobDownloads(depsAt(db))({ id: newId('job'), tenantId, spec });
    expect(source).toMatchObject({ sha256, sizeBytes: 5 });
    expect(await (await fetch(source?.url ?? '')).text()).toBe('hello');
    expect([inputs, checkpoint]).toEqual([[{ url: 'gs://b/c', path: 'data', sha256: null, sizeBytes: null }], []]);
  });
});

type ArtifactState = { verifiedAt?: Date; promotedAt?: Date; supersededAt?: Date; kind?: 'output' | 'checkpoint' };

async function insertArtifact(
  db: Database,
  { tenantId, jobId }: { tenantId: string; jobId: string },
  { kind = 'output', ...state }: ArtifactState,
): Promise<string> {
  const id = newId('artifact');
  const objectKey = artifactKey({ tenantId, region: null }, { jobId, attempt: 1, artifactId: id, kind });
  await objects.bucket.write(objectKey, Buffer.from('x'));
  const sums = { sizeBytes: 1, sha256: '', md5: '' };
  await db.client.artifact.create({
    data: {
      id,
      jobId,
      tenantId,
      attempt: 1,
      node: 0,
      path: id,
      kind,
      objectKey,
      createdAt: new Date(),
      ...sums,
      ...state,
    },
  });
  return id;
}

describe('retention', () => {
  test('removes an expired upload that no job needs, and keeps the one a job still runs on', async ({ db, make }) => {
    const unused = await make(newId('tenant'));
    await put(unused.url, 'unused');
    const job = await insertRunningJob(db);
    const [source, input] = [await make(job.tenantId), await make(job.tenantId)];
    for (const { url } of [source, input]) await put(url, 'used');
    await db.client.job.update({
      where: { id: job.jobId },
      data: { spec: { source: source.uri, inputs: [{ uri: input.uri, path: 'a' }] } },
    });

    expect(await removeLeftovers(depsAt(db, uploadMs + hourMs / 2))).toEqual({
      uploads: 0,
      artifacts: 0,
      checkpoints: 0,
    });
    const { objectKey } = await db.client.upload.findUniqueOrThrow({ where: { id: unused.id } });
    expect(await removeLeftovers(depsAt(db, uploadMs + 2 * hourMs))).toEqual({
      uploads: 1,
      artifacts: 0,
      checkpoints: 0,
    });
    expect(await objects.bucket.stat(objectKey)).toBeUndefined();
    expect((await db.client.upload.findMany({ select: { id: true } })).map(({ id }) => id).sort()).toEqual(
      [source.id, input.id].sort(),
    );

    await db.client.job.update({ where: { id: job.jobId }, data: { state: 'succeeded' } });
    expect(await removeLeftovers(depsAt(db, 3 * uploadMs))).toMatchObject({ uploads: 2 });
  });

  test('removes what never became an artifact, once nobody can complete it', async ({ db }) => {
    const { tenantId, jobId } = await insertRunningJob(db);
    const insert = (state: ArtifactState) => insertArtifact(db, { tenantId, jobId }, state);
    const at = new Date();
    const kept = [await insert({ verifiedAt: at, promotedAt: at }), await insert({ verifiedAt: at })];
    await insert({});
    const later = uploadMs + 2 * hourMs;
    expect(await removeLeftovers(depsAt(db, later))).toMatchObject({ artifacts: 0 });

    await startAttempt(db, { tenantId, jobId }, 2);
    expect(await removeLeftovers(depsAt(db, later))).toMatchObject({ artifacts: 1 });
    expect((await db.client.artifact.findMany({ orderBy: { id: 'asc' } })).map(({ id }) => id)).toEqual(kept);

    await db.client.job.update({ where: { id: jobId }, data: { state: 'failed', finishedAt: at } });
    expect(await removeLeftovers(depsAt(db, later))).toMatchObject({ artifacts: 1 });
  });

  test('removes what later checkpoints go without, while the job still runs', async ({ db }) => {
    const job = await insertRunningJob(db);
    const [at, kind] = [new Date(), 'checkpoint' as const];
    const current = await insertArtifact(db, job, { verifiedAt: at, kind });
    await insertArtifact(db, job, { verifiedAt: at, supersededAt: at, kind });
    expect(await removeLeftovers(depsAt(db, hourMs / 2))).toMatchObject({ checkpoints: 0 });
    expect(await removeLeftovers(depsAt(db, 2 * hourMs))).toMatchObject({ checkpoints: 1 });
    expect((await db.client.artifact.findMany()).map(({ id }) => id)).toEqual([current]);
  });

  test('removes outputs and checkpoints so long after their job ended, but not what another job is still given', async ({
    db,
  }) => {
    const job = await insertRunningJob(db);
    const at = new Date();
    const [output, checkpoint] = [
      await insertArtifact(db, job, { verifiedAt: at, promotedAt: at }),
      await insertArtifact(db, job, { verifiedAt: at, promotedAt: at, kind: 'checkpoint' }),
    ];
    const remaining = async () => (await db.client.artifact.findMany({ orderBy: { id: 'asc' } })).map(({ id }) => id);
    const retention = { artifactsDays: 30, checkpointsDays: 7 };
    expect(await removeOldArtifacts(depsAt(db, 40 * dayMs), retention)).toBe(0);

    await db.client.job.update({ where: { id: job.jobId }, data: { state: 'succeeded', finishedAt: at } });
    expect(await removeOldArtifacts(depsAt(db, 8 * dayMs), {})).toBe(0);
    expect(await removeOldArtifacts(depsAt(db, 8 * dayMs), retention)).toBe(1);
    expect(await remaining()).toEqual([output]);
    expect(await removeOldArtifacts(depsAt(db, 8 * dayMs), { checkpointsDays: 7 })).toBe(0);

    const heir = await insertRunningJob(db, {
      inputs: [{ uri: `weir://jobs/${job.jobId}/artifacts/${output}`, path: 'a' }],
    });
    await db.client.job.update({ where: { id: heir.jobId }, data: { tenantId: job.tenantId } });
    expect(await removeOldArtifacts(depsAt(db, 40 * dayMs), retention)).toBe(0);
    await db.client.job.update({ where: { id: heir.jobId }, data: { state: 'cancelled' } });
    expect(await removeOldArtifacts(depsAt(db, 40 * dayMs), retention)).toBe(1);
    expect(await remaining()).not.toContain(checkpoint);
  });
});

test('an object that can’t be removed keeps none of the others, and is told and tried again', async ({ db, make }) => {
  const uploads = [await make(newId('tenant')), await make(newId('tenant'))];
  for (const { url } of uploads) await put(url, 'unused');
  const { tenantId, jobId } = await insertRunningJob(db);
  await insertArtifact(db, { tenantId, jobId }, {});
  await startAttempt(db, { tenantId, jobId }, 2);
  const [first] = await db.client.upload.findMany({ orderBy: { id: 'asc' } });
  const told: unknown[] = [];
  const deps = depsAt(db, uploadMs + 2 * hourMs);
  const failing = async () => {
    throw new Error('The bucket is away.');
  };
  const bucket = {
    ...deps.bucket,
    remove: (key: string) => (key === first?.objectKey ? failing() : deps.bucket.remove(key)),
    discardUnfinished: failing,
  };
  const onError = (error: unknown) => void told.push(error);
  expect(await removeLeftovers({ ...deps, bucket, onError })).toEqual({ uploads: 1, artifacts: 1, checkpoints: 0 });
  expect(told.map(String)).toEqual([
    'Error: The bucket is away.',
    `Error: 1 of the expired uploads could not be seen to and wait for the next time, ${first?.id} first`,
  ]);
  expect(await removeLeftovers(deps)).toEqual({ uploads: 1, artifacts: 0, checkpoints: 0 });
});

test('the bucket itself removes outputs and logs a week later, and never a checkpoint', () => {
  expect(lifecycleRules({ artifactsDays: 90, checkpointsDays: 7, logsDays: 30 })).toEqual([
    { suffix: '-output', days: 97 },
    { suffix: '-log', days: 37 },
  ]);
  expect(lifecycleRules({})).toEqual([]);
});
