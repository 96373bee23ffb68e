import { describe, expect } from 'vitest';
import { artifactKey } from '../../src/artifacts/names.ts';
import { lifecycleRules, removeLeftovers, removeOldArtifacts } from '../../src/artifacts/retention.ts';
import { newId } from '../../src/core/ids.ts';
import { dayMs, hourMs } from '../../src/core/time.ts';
import type { Database } from '../../src/db/database.ts';
import { put } from './bucket-contract.ts';
import { insertRunningJob, startAttempt } from './job-rows.ts';
import { depsAt, objects, test, uploadMs } from './upload-deps.ts';

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
