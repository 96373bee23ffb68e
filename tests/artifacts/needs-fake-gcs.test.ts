import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createGcsBucket } from '../../src/artifacts/gcs-bucket.ts';
import { startFakeGcs, type FakeGcs } from '../support/fake-gcs.ts';
import { describeBucket, put } from './bucket-contract.ts';

describeBucket('Cloud Storage', async () => {
  const gcs = await startFakeGcs();
  const { apiEndpoint, keyFile } = gcs;
  return {
    bucket: await createGcsBucket({ name: await gcs.createBucket(), projectId: 'weir-test', apiEndpoint, keyFile }),
    close: gcs.stop,
  };
});

describe('Cloud Storage', () => {
  let gcs: FakeGcs;
  beforeAll(async () => {
    gcs = await startFakeGcs();
  });
  afterAll(() => gcs.stop());

  const expiresAt = new Date(Date.now() + 60_000);

  test('signs download URLs with the key file, for no longer than asked', async () => {
    const bucket = await createGcsBucket({
      name: await gcs.createBucket(),
      apiEndpoint: gcs.apiEndpoint,
      keyFile: gcs.keyFile,
    });
    const { searchParams } = new URL(
      await bucket.createDownloadUrl('tenants/a/uploads/b', { fileName: 'a.bin', expiresAt }),
    );
    expect(searchParams.get('X-Goog-Algorithm')).toBe('GOOG4-RSA-SHA256');
    expect(searchParams.get('X-Goog-Credential')).toMatch(/^weir@weir-test\.iam\.gserviceaccount\.com\//);
    expect(Number(searchParams.get('X-Goog-Expires'))).toBeLessThanOrEqual(60);
    expect(searchParams.get('X-Goog-Signature')).toMatch(/^[0-9a-f]{512}$/);
  });

  test('works on an emulator without a key file', async () => {
    const bucket = await createGcsBucket({ name: await gcs.createBucket(), apiEndpoint: gcs.apiEndpoint });
    await put(await bucket.createUploadUrl('tenants/a/uploads/b', { sizeBytes: 2, expiresAt }), 'hi');
    const answer = await fetch(await bucket.createDownloadUrl('tenants/a/uploads/b', { fileName: 'a.txt', expiresAt }));
    expect(await answer.text()).toBe('hi');
  });

  test('is not ready without its bucket, and says so when asked for a URL', async () => {
    const bucket = await createGcsBucket({ name: 'there-is-none', apiEndpoint: gcs.apiEndpoint, keyFile: gcs.keyFile });
    expect(await bucket.isReady()).toBe(false);
  });
});
