import { createHash, randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { request, type ClientRequest } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { waitFor } from '../support/wait.ts';
import { md5Of, put } from './bucket-contract.ts';
import { startObjectServer, type ObjectServer } from './object-server.ts';

const key = 'tenants/tnt_a/jobs/job_b/attempts/1/art_c';

describe('file system bucket', () => {
  let server: ObjectServer;
  beforeEach(async () => {
    server = await startObjectServer();
  });
  afterEach(() => server.close());

  const inAMinute = () => new Date(Date.now() + 60_000);
  const sha256Of = (text: string) => createHash('sha256').update(text).digest('hex');
  const uploadUrl = (sizeBytes?: number, at = key) =>
    server.bucket.createUploadUrl(at, { sizeBytes, expiresAt: inAMinute() });
  const downloadUrl = (fileName = 'model.bin') =>
    server.bucket.createDownloadUrl(key, { fileName, expiresAt: inAMinute() });
  const receivedOf = (answer: Response) =>
    Number(/^bytes=0-(\d+)$/.exec(answer.headers.get('range') ?? 'bytes=0--1')?.[1] ?? -1) + 1;

  /** Sends these bytes of a larger PUT and leaves the connection open. */
  const startPut = async (url: string, sizeBytes: number, bytes: Buffer): Promise<ClientRequest> => {
    const upload = request(url, {
      method: 'PUT',
      headers: { 'content-length': sizeBytes, 'content-range': `bytes 0-${sizeBytes - 1}/${sizeBytes}` },
    });
    upload.on('error', () => undefined);
    upload.write(bytes);
    await waitFor(
      'the server to take the bytes',
      async () => receivedOf(await put(url, '', `bytes */${sizeBytes}`)) === bytes.length,
    );
    return upload;
  };

  describe('after a cut connection', () => {
    const bytes = randomBytes(900_000);
    const rest = bytes.subarray(300_000);

    test('goes on where it stopped', async () => {
      const url = await uploadUrl(bytes.length);
      (await startPut(url, bytes.length, bytes.subarray(0, 300_000))).destroy();

      const asked = await put(url, '', `bytes */${bytes.length}`);
      expect([asked.status, receivedOf(asked)]).toEqual([308, 300_000]);
      expect((await put(url, rest, `bytes 300000-899999/900000`)).status).toBe(200);
      expect(await server.bucket.stat(key)).toEqual({ sizeBytes: bytes.length, md5: md5Of(bytes) });
    });

    test('goes on after a restart, which forgot the checksum of the first part', async () => {
      const url = await uploadUrl(bytes.length);
      (await startPut(url, bytes.length, bytes.subarray(0, 300_000))).destroy();
      await server.reopen();
      expect((await put(url, rest, `bytes 300000-899999/900000`)).status).toBe(200);
      expect(await server.bucket.stat(key)).toEqual({ sizeBytes: bytes.length, md5: md5Of(bytes) });
    });

    test('goes on though the server still believes in the old connection', async () => {
      const url = await uploadUrl(bytes.length);
      const stalled = await startPut(url, bytes.length, bytes.subarray(0, 300_000));
      expect((await put(url, rest, `bytes 300000-899999/900000`)).status).toBe(200);
      expect(await server.bucket.stat(key)).toEqual({ sizeBytes: bytes.length, md5: md5Of(bytes) });
      stalled.destroy();
    });

    test('takes all of it again in a plain PUT', async () => {
      const url = await uploadUrl(bytes.length);
      (await startPut(url, bytes.length, bytes.subarray(0, 300_000))).destroy();
      expect((await put(url, bytes)).status).toBe(200);
      expect(await server.bucket.stat(key)).toEqual({ sizeBytes: bytes.length, md5: md5Of(bytes) });
    });

    test('keeps no half of a plain PUT of unknown size as an object', async () => {
      const url = await uploadUrl();
      const upload = request(url, { method: 'PUT', headers: { 'transfer-encoding': 'chunked' } });
      upload.on('error', () => undefined);
      upload.write(bytes);
      await waitFor(
        'the server to take the bytes',
        async () => receivedOf(await put(url, '', 'bytes */*')) === bytes.length,
      );
      upload.destroy();
      // Waits for its turn behind the broken request, which must not have made an object by then.
      expect((await put(url, 'tail', 'bytes 900000-900003/900004')).status).toBe(200);
      expect(await server.bucket.stat(key)).toMatchObject({ sizeBytes: 900_004 });
    });
  });

  test('answers a repeat of what is complete as before, its first answer lost', async () => {
    const url = await uploadUrl(5);
    expect((await put(url, 'hello')).status).toBe(200);
    expect((await put(url, 'hello')).status).toBe(200);
    expect((await put(url, '', 'bytes */5')).status).toBe(200);
    expect((await put(url, 'hello', 'bytes 0-4/5')).status).toBe(200);
  });

  test('completes when told the size after the last byte', async () => {
    const url = await uploadUrl();
    expect((await put(url, 'hello', 'bytes 0-4/*')).status).toBe(308);
    expect((await put(url, '', 'bytes */5')).status).toBe(200);
    expect(await server.bucket.stat(key)).toEqual({ sizeBytes: 5, md5: md5Of(Buffer.from('hello')) });
  });

  test('refuses bytes that its disk has no room for, and takes them when it has', async () => {
    const url = await uploadUrl(5);
    await server.reopen({ leastFreeBytes: Infinity });
    const refused = await put(url, 'hello');
    expect([refused.status, ((await refused.json()) as { type: string }).type]).toEqual([
      503,
      expect.stringMatching(/\/storage-refused$/),
    ]);
    await expect(uploadUrl(5, `${key}x`)).rejects.toMatchObject({ code: 'storage-refused', message: /full/ });
    await expect(server.bucket.write(`${key}y`, Buffer.from('x'))).rejects.toMatchObject({ code: 'storage-refused' });
    await server.reopen();
    await expect(uploadUrl(2 ** 60, `${key}x`)).rejects.toMatchObject({ code: 'storage-refused' });
    expect((await put(url, 'hello')).status).toBe(200);
  });

  test('drops what it has of an overlapping part, and asks again for what a part leaves out', async () => {
    const url = await uploadUrl(10);
    await put(url, '01234', 'bytes 0-4/10');
    const gap = await put(url, '89', 'bytes 8-9/10');
    expect([gap.status, receivedOf(gap)]).toEqual([308, 5]);
    expect((await put(url, '3456789', 'bytes 3-9/10')).status).toBe(200);
    expect(await server.bucket.stat(key)).toEqual({ sizeBytes: 10, md5: md5Of(Buffer.from('0123456789')) });
  });

  test.each([
    ['a shorter body than announced', 'hell', undefined, 400],
    ['a longer body than announced', 'hello, world', undefined, 413],
    ['more bytes than the range says', 'hello', 'bytes 0-2/5', 413],
    ['another size than the URL was made for', 'hello', 'bytes 0-4/6', 400],
    ['a range beyond its total', 'hello', 'bytes 3-7/5', 400],
    ['a range backwards', 'hello', 'bytes 4-0/5', 400],
    ['a header that is no Content-Range', 'hello', 'items 0-4/5', 400],
  ])('refuses %s', async (_what, body, contentRange, status) => {
    const answer = await put(await uploadUrl(5), body, contentRange);
    expect(answer.status).toBe(status);
    expect(await server.bucket.stat(key)).toBeUndefined();
  });

  test('refuses bytes of another SHA-256 than announced, naming both, and takes the right ones then', async () => {
    const announced = sha256Of('hello');
    const url = await server.bucket.createUploadUrl(key, {
      sizeBytes: undefined,
      sha256: announced,
      expiresAt: inAMinute(),
    });
    const wrong = await put(url, 'jello');
    expect(wrong.status).toBe(422);
    expect(await wrong.json()).toMatchObject({
      type: expect.stringMatching(/\/checksum-mismatch$/),
      detail: expect.stringMatching(new RegExp(`${sha256Of('jello')}.*${announced}`)),
    });
    expect(await server.bucket.stat(key)).toBeUndefined();

    expect((await put(url, 'hel', 'bytes 0-2/5')).status).toBe(308);
    await server.reopen();
    expect((await put(url, 'lo', 'bytes 3-4/5')).status).toBe(200);
    expect(await server.bucket.stat(key)).toEqual({ sizeBytes: 5, md5: md5Of(Buffer.from('hello')) });
  });

  describe('signed URLs', () => {
    test('expire', async () => {
      const [upload, download] = [await uploadUrl(5), await downloadUrl()];
      await put(await uploadUrl(5), 'hello');
      server.passSeconds(61);
      expect((await put(upload, 'hello')).status).toBe(410);
      expect((await fetch(download)).status).toBe(410);
    });

    test.each(['key', 'session', 'size', 'sha256', 'expires', 'signature'])(
      'for uploads hold for their %s alone',
      async (name) => {
        const url = new URL(await uploadUrl(5));
        const value = url.searchParams.get(name) ?? '';
        const other = name === 'sha256' ? 'a'.repeat(64) : value.slice(0, -1) + (value.endsWith('1') ? '2' : '1');
        url.searchParams.set(name, other);
        expect((await put(url.href, 'hello')).status).toBe(403);
      },
    );

    test('for downloads hold for their key, name and expiry alone', async () => {
      await put(await uploadUrl(5), 'hello');
      const other = new URL(await downloadUrl());
      other.pathname = other.pathname.replace('art_c', 'art_d');
      const renamed = new URL(await downloadUrl());
      renamed.searchParams.set('name', 'index.html');
      const prolonged = new URL(await downloadUrl());
      prolonged.searchParams.set('expires', '9999999999');
      for (const url of [other, renamed, prolonged]) expect((await fetch(url)).status).toBe(403);
    });

    test('to download are none to upload', async () => {
      const { searchParams } = new URL(await downloadUrl());
      const url = new URL(await uploadUrl(5));
      for (const name of ['expires', 'signature']) url.searchParams.set(name, searchParams.get(name) ?? '');
      expect((await put(url.href, 'hello')).status).toBe(403);
    });
  });

  test.each([
    '../secret.key',
    'tenants/../../secret',
    '/etc/passwd',
    'tenants/a//b',
    'tenants/.hidden',
    'a.json',
    'tenants/a\u0000b',
    '',
  ])('has no object %j, even for a signature of its own', async (bad) => {
    expect([400, 404]).toContain((await put(await uploadUrl(5, bad), 'hello')).status);
    await expect(server.bucket.stat(bad)).rejects.toThrow('There is no such object');
    expect((await readdir(server.directory)).filter((name) => name !== 'objects' && name !== 'unfinished')).toEqual([]);
  });

  test('serves bytes so that no browser runs them', async () => {
    await put(await uploadUrl(), '<script>alert(1)</script>');
    const { headers } = await fetch(await downloadUrl('report.html'));
    expect(headers.get('content-type')).toBe('application/octet-stream');
    expect(headers.get('content-disposition')).toMatch(/^attachment; filename="report\.html"/);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toBe("sandbox; default-src 'none'");
  });

  test('answers 416 to a range beyond the end, and HEAD without a body', async () => {
    await put(await uploadUrl(), 'hello');
    const beyond = await fetch(await downloadUrl(), { headers: { range: 'bytes=5-9' } });
    expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, 'bytes */5']);
    expect(beyond.headers.get('content-type')).toBe('application/problem+json');
    expect(await beyond.json()).toMatchObject({ status: 416, detail: expect.stringContaining('has 5 bytes') });
    const head = await fetch(await downloadUrl(), { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '5', '']);
  });

  test('drops what nobody finished', async () => {
    await put(await uploadUrl(10), 'hello', 'bytes 0-4/10');
    const unfinished = join(server.directory, 'unfinished');
    await server.bucket.discardUnfinished(new Date(Date.now() - 60_000));
    expect(await readdir(unfinished)).toHaveLength(1);
    await server.bucket.discardUnfinished(new Date(Date.now() + 1000));
    expect(await readdir(unfinished)).toEqual([]);
  });
});
