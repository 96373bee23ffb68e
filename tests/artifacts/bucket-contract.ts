import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Bucket } from '../../src/artifacts/bucket.ts';

export const chunkBytes = 256 * 1024;

export function md5Of(bytes: Buffer): string {
  return createHash('md5').update(bytes).digest('hex');
}

/** PUTs bytes as Cloud Storage's protocol has it; redirects are not followed, since 308 asks for more. */
export function put(url: string, body: Buffer | string, contentRange?: string): Promise<Response> {
  const bytes = typeof body === 'string' ? body : new Uint8Array(body);
  return fetch(url, {
    method: 'PUT',
    body: bytes,
    redirect: 'manual',
    headers: contentRange === undefined ? {} : { 'content-range': contentRange },
  });
}

/** What every bucket does, run on each kind against the real thing. */
export function describeBucket(
  name: string,
  open: () => Promise<{ bucket: Bucket; close: () => Promise<void> }>,
): void {
  describe(`${name} bucket`, () => {
    let bucket: Bucket;
    let close: () => Promise<void>;
    let objects = 0;
    const newKey = () => `tenants/tnt_a/uploads/upl_${++objects}`;
    const inAnHour = () => new Date(Date.now() + 3_600_000);
    const uploadUrl = (key: string, sizeBytes: number | undefined) =>
      bucket.createUploadUrl(key, { sizeBytes, expiresAt: inAnHour() });
    const downloadUrl = (key: string, fileName = 'model.bin') =>
      bucket.createDownloadUrl(key, { fileName, expiresAt: inAnHour() });

    beforeAll(async () => {
      ({ bucket, close } = await open());
    });
    afterAll(() => close());

    const store = async (bytes: Buffer): Promise<string> => {
      const key = newKey();
      expect((await put(await uploadUrl(key, bytes.length), bytes)).status).toBe(200);
      return key;
    };

    test('is ready', async () => {
      expect(await bucket.isReady()).toBe(true);
    });

    test('takes a whole object in one PUT and knows its size and MD5', async () => {
      const bytes = randomBytes(700_001);
      const key = await store(bytes);
      expect(await bucket.stat(key)).toEqual({ sizeBytes: bytes.length, md5: md5Of(bytes) });
    });

    test('takes an object whose size is not known before', async () => {
      const key = newKey();
      const bytes = randomBytes(1234);
      expect((await put(await uploadUrl(key, undefined), bytes)).status).toBe(200);
      expect(await bucket.stat(key)).toEqual({ sizeBytes: 1234, md5: md5Of(bytes) });
    });

    test('takes an empty object', async () => {
      const key = await store(Buffer.alloc(0));
      expect(await bucket.stat(key)).toEqual({ sizeBytes: 0, md5: md5Of(Buffer.alloc(0)) });
    });

    test('takes an object in parts and says how far it is', async () => {
      const key = newKey();
      const bytes = randomBytes(2 * chunkBytes + 17);
      const url = await uploadUrl(key, bytes.length);
      const first = await put(url, bytes.subarray(0, chunkBytes), `bytes 0-${chunkBytes - 1}/${bytes.length}`);
      expect(first.status).toBe(308);
      expect(first.headers.get('range')).toBe(`bytes=0-${chunkBytes - 1}`);
      expect(await bucket.stat(key)).toBeUndefined();

      const second = await put(
        url,
        bytes.subarray(chunkBytes, 2 * chunkBytes),
        `bytes ${chunkBytes}-${2 * chunkBytes - 1}/${bytes.length}`,
      );
      expect([second.status, second.headers.get('range')]).toEqual([308, `bytes=0-${2 * chunkBytes - 1}`]);
      const last = await put(
        url,
        bytes.subarray(2 * chunkBytes),
        `bytes ${2 * chunkBytes}-${bytes.length - 1}/${bytes.length}`,
      );
      expect(last.status).toBe(200);
      expect(await bucket.stat(key)).toEqual({ sizeBytes: bytes.length, md5: md5Of(bytes) });
    });

    test('takes parts of an object whose size is told with the last', async () => {
      const key = newKey();
      const bytes = randomBytes(chunkBytes + 5);
      const url = await uploadUrl(key, undefined);
      expect((await put(url, bytes.subarray(0, chunkBytes), `bytes 0-${chunkBytes - 1}/*`)).status).toBe(308);
      expect(
        (await put(url, bytes.subarray(chunkBytes), `bytes ${chunkBytes}-${bytes.length - 1}/${bytes.length}`)).status,
      ).toBe(200);
      expect(await bucket.stat(key)).toEqual({ sizeBytes: bytes.length, md5: md5Of(bytes) });
    });

    test('never replaces a complete object', async () => {
      const key = newKey();
      const early = await uploadUrl(key, 5);
      const late = await uploadUrl(key, 5);
      await put(early, 'first');
      await (await put(late, 'later')).arrayBuffer();
      expect(await (await fetch(await downloadUrl(key))).text()).toBe('first');
    });

    test('takes and gives bytes of weir’s own, any part of them, and again is the same', async () => {
      const key = newKey();
      const bytes = randomBytes(5000);
      await bucket.write(key, bytes);
      await bucket.write(key, bytes);
      expect(await bucket.read(key, { offset: 1000, length: 500 })).toEqual(bytes.subarray(1000, 1500));
      expect(await bucket.stat(key)).toEqual({ sizeBytes: 5000, md5: md5Of(bytes) });
      // Cloud Storage answers 404 for an object that is not there as for a bucket that is not.
      const absent = bucket.read(newKey(), { offset: 0, length: 1 });
      await expect(absent).rejects.toMatchObject({ code: expect.stringMatching(/^(unavailable|storage-refused)$/) });
    });

    test('serves downloads without a key, as an attachment of the wished name', async () => {
      const bytes = randomBytes(300_000);
      const key = await store(bytes);
      const answer = await fetch(await downloadUrl(key, 'Gewichte "für" 模型.bin'));
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-disposition')).toMatch(
        /^attachment; .*filename\*=UTF-8''Gewichte%20%22f%C3%BCr%22%20%E6%A8%A1%E5%9E%8B\.bin$/,
      );
      expect(Buffer.from(await answer.arrayBuffer()).equals(bytes)).toBe(true);
    });

    test('serves a range', async () => {
      const bytes = randomBytes(1000);
      const answer = await fetch(await downloadUrl(await store(bytes)), { headers: { range: 'bytes=100-199' } });
      expect([answer.status, answer.headers.get('content-range')]).toEqual([206, 'bytes 100-199/1000']);
      expect(Buffer.from(await answer.arrayBuffer()).equals(bytes.subarray(100, 200))).toBe(true);
    });

    test('answers 404 for what is not there', async () => {
      const key = newKey();
      expect(await bucket.stat(key)).toBeUndefined();
      expect((await fetch(await downloadUrl(key))).status).toBe(404);
    });

    test('removes, and again is the same', async () => {
      const key = await store(Buffer.from('gone soon'));
      await bucket.remove(key);
      await bucket.remove(key);
      expect(await bucket.stat(key)).toBeUndefined();
    });
  });
}
