import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { createGcsBucket } from '../../src/artifacts/gcs-bucket.ts';

type Asked = { method: string; url: URL; body: string };
type Rule = { action: { type: string }; condition: { age: number; matchesSuffix?: string[] } };

/** As much of Cloud Storage as fake-gcs-server leaves out: a bucket's lifecycle rules, and the keys that objects are encrypted with. */
async function startStorage({ refusal }: { refusal?: number } = {}) {
  const asked: Asked[] = [];
  const bucket: { lifecycle?: { rule: Rule[] } } = {};
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '', 'http://storage.test');
    const body = await text(request);
    asked.push({ method: request.method ?? '', url, body });
    if (refusal !== undefined) {
      const error = { code: refusal, message: 'No.', errors: [{ reason: 'forbidden', message: 'No.' }] };
      return void response.writeHead(refusal, { 'content-type': 'application/json' }).end(JSON.stringify({ error }));
    }
    if (request.method === 'PATCH') Object.assign(bucket, JSON.parse(body));
    if (url.searchParams.get('uploadType') === 'resumable')
      response.setHeader('location', 'http://storage.test/session');
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ name: 'weir-artifacts', ...bucket }));
  };
  const server = createServer((request, response) => void answer(request, response)).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return { apiEndpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, bucket };
}

test('objects are encrypted with the key that is configured', async () => {
  const { apiEndpoint, asked } = await startStorage();
  const kmsKey = 'projects/p/locations/us-central1/keyRings/weir/cryptoKeys/artifacts';
  const bucket = await createGcsBucket({ name: 'weir-artifacts', apiEndpoint, kmsKey });
  const options = { sizeBytes: 1, expiresAt: new Date(Date.now() + 60_000) };
  expect(await bucket.createUploadUrl('tenants/a/uploads/b', options)).toBe('http://storage.test/session');
  const plain = await createGcsBucket({ name: 'weir-artifacts', apiEndpoint });
  await plain.createUploadUrl('tenants/a/uploads/c', options);
  expect(asked.map(({ url }) => url.searchParams.get('kmsKeyName'))).toEqual([kmsKey, null]);
});

test('a download URL holds for a week at most, which is Google’s limit', async () => {
  const { apiEndpoint } = await startStorage();
  const bucket = await createGcsBucket({ name: 'weir-artifacts', apiEndpoint });
  const expiresAt = new Date(Date.now() + 30 * 86_400_000);
  const url = new URL(await bucket.createDownloadUrl('tenants/a/uploads/b', { fileName: 'b', expiresAt }));
  expect(Number(url.searchParams.get('X-Goog-Expires'))).toBe(7 * 86_400);
});

test('the rules of the bucket follow the retention, and an operator’s own stay', async () => {
  const { apiEndpoint, asked, bucket: stored } = await startStorage();
  const own = { action: { type: 'Delete' }, condition: { age: 3, matchesSuffix: ['.tmp'] } };
  stored.lifecycle = { rule: [own] };
  const bucket = await createGcsBucket({ name: 'weir-artifacts', apiEndpoint });
  const ofLogs = { action: { type: 'Delete' }, condition: { age: 37, matchesSuffix: ['-log'] } };

  await bucket.applyLifecycle?.([{ suffix: '-log', days: 37 }]);
  expect(stored.lifecycle.rule).toEqual([own, ofLogs]);
  await bucket.applyLifecycle?.([{ suffix: '-log', days: 37 }]);
  expect(asked.filter(({ method }) => method === 'PATCH')).toHaveLength(1);
  await bucket.applyLifecycle?.([{ suffix: '-output', days: 97 }]);
  expect(stored.lifecycle.rule).toEqual([own, { ...ofLogs, condition: { age: 97, matchesSuffix: ['-output'] } }]);
  await bucket.applyLifecycle?.([]);
  expect(stored.lifecycle.rule).toEqual([own]);
});

test.each([
  [401, /does not take the credentials that weir has\. An operator checks/],
  [
    403,
    /does not let weir use the bucket weir-artifacts: it is another project's, or a permission is missing\. An operator grants/,
  ],
  [404, /has no bucket weir-artifacts.*An operator checks the bucket's name/],
])('a bucket that answers %i is an operator’s matter, and said so by each call', async (refusal, said) => {
  const { apiEndpoint } = await startStorage({ refusal });
  const bucket = await createGcsBucket({ name: 'weir-artifacts', apiEndpoint });
  const options = { sizeBytes: 1, expiresAt: new Date(Date.now() + 60_000) };
  for (const call of [
    () => bucket.createUploadUrl('tenants/a/uploads/b', options),
    () => bucket.read('tenants/a/uploads/b', { offset: 0, length: 1 }),
    () => bucket.write('tenants/a/uploads/b', Buffer.from('x')),
    () => bucket.applyLifecycle?.([{ suffix: '-log', days: 37 }]),
  ])
    await expect(call()).rejects.toMatchObject({
      code: 'storage-refused',
      message: expect.not.stringContaining('weir-artifacts'),
      cause: { message: expect.stringMatching(said) },
    });
  expect(await bucket.isReady()).toBe(false);
});
