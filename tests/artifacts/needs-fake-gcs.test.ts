import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createGcsBucket } from '../../src/artifacts/gcs-bucket.ts';
import type { Broker } from '../../src/runner/broker.ts';
import { createPatience } from '../../src/runner/retry.ts';
import { uploadFile } from '../../src/runner/upload.ts';
import { startCuttingProxy } from '../support/cutting-proxy.ts';
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

  test('takes on a runner’s upload where a cut connection left it', async () => {
    const [name, sizeBytes] = [await gcs.createBucket(), 40 * 1024 * 1024];
    const bucket = await createGcsBucket({ name, apiEndpoint: gcs.apiEndpoint, keyFile: gcs.keyFile });
    const proxy = await startCuttingProxy(gcs.apiEndpoint);
    const directory = await mkdtemp(join(tmpdir(), 'weir-upload-'));
    const bytes = randomBytes(sizeBytes);
    await writeFile(join(directory, 'model'), bytes);
    const file = await open(join(directory, 'model'));
    try {
      const session = new URL(await bucket.createUploadUrl('tenants/a/uploads/cut', { sizeBytes, expiresAt }));
      const broker = {
        beginUpload: async () => ({ id: 'art_a', url: `${proxy.url}${session.pathname}${session.search}` }),
        completeUpload: async () => undefined,
      } as unknown as Broker;
      const place = {
        broker,
        brokerUrl: 'http://weir.test',
        attempt: 1,
        mostBytes: Infinity,
        patience: createPatience(0),
        stall: createPatience(60_000),
        signal: new AbortController().signal,
      };
      // In the midst of the second of its parts, which are of 32 MiB.
      proxy.cutAt(35 * 1024 * 1024);
      await uploadFile({ path: 'model', kind: 'output', file }, place);
      const md5 = createHash('md5').update(bytes).digest('hex');
      expect(await bucket.stat('tenants/a/uploads/cut')).toEqual({ sizeBytes, md5 });
      // The first part was not sent again.
      expect(proxy.sentBytes()).toBeLessThan(sizeBytes + 8 * 1024 * 1024);
    } finally {
      await file.close();
      proxy.close();
      await rm(directory, { recursive: true });
    }
  });

  test('is not ready without its bucket, and says so when asked for a URL', async () => {
    const bucket = await createGcsBucket({ name: 'there-is-none', apiEndpoint: gcs.apiEndpoint, keyFile: gcs.keyFile });
    expect(await bucket.isReady()).toBe(false);
  });
});
