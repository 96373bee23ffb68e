import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createFilesystemBucket } from '../../src/artifacts/filesystem-bucket.ts';
import { joinBuckets } from '../../src/artifacts/joined-buckets.ts';
import { isObjectKey, logKey, uploadKey } from '../../src/artifacts/names.ts';
import { residenceIn } from '../../src/artifacts/residence.ts';

async function openBucket() {
  const directory = await mkdtemp(join(tmpdir(), 'weir-bucket-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const now = () => new Date();
  return createFilesystemBucket({ directory, publicUrl: 'http://weir.test', secretKey: randomBytes(32), now });
}

test('a tenant’s objects lie at home where its policy allows that, else in the first region of its own with a bucket', () => {
  const buckets = { home: 'us-central1', elsewhere: ['europe-west4', 'asia-east1'] };
  expect(residenceIn(undefined, buckets)).toBeNull();
  expect(residenceIn(['asia-east1', 'us-central1'], buckets)).toBeNull();
  expect(residenceIn(['asia-east1'], buckets)).toBe('asia-east1');
  expect(residenceIn(['europe-west1', 'europe-west4'], buckets)).toBe('europe-west4');
});

test('each object lies in the bucket of its key’s region, and in no other', async () => {
  const [home, europe] = [await openBucket(), await openBucket()];
  const joined = joinBuckets(home, new Map([['europe-west4', europe]]));
  const keys = [
    uploadKey({ tenantId: 'tnt_a', region: null }, 'upl_1'),
    uploadKey({ tenantId: 'tnt_b', region: 'europe-west4' }, 'upl_2'),
    logKey({ tenantId: 'tnt_b', region: 'europe-west4' }, 'job_1', { firstSeq: 0, lastSeq: 9 }),
  ];
  for (const key of keys) {
    expect(isObjectKey(key)).toBe(true);
    await joined.write(key, Buffer.from(key));
    expect((await joined.read(key, { offset: 0, length: 500 })).toString()).toBe(key);
  }
  const has = async (bucket: typeof home) =>
    (await Promise.all(keys.map((key) => bucket.stat(key)))).map((info) => info !== undefined);
  expect(await has(home)).toEqual([true, false, false]);
  expect(await has(europe)).toEqual([false, true, true]);
});

test('an object of a bucket that is not configured any more is named, not taken from another', async () => {
  const joined = joinBuckets(await openBucket(), new Map());
  const key = uploadKey({ tenantId: 'tnt_a', region: 'europe-west4' }, 'upl_1');
  await expect(joined.stat(key)).rejects.toThrow('The bucket in europe-west4 is not configured any more');
});
