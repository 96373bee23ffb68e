import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServerResponse } from 'node:http';
import { buffer, json } from 'node:stream/consumers';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createApi, make } from '../../infra/cli/api.ts';
import { download } from '../../infra/cli/download.ts';
import { putParts } from '../../infra/cli/put-parts.ts';
import { fetchSigned } from '../../infra/cli/signed-url.ts';
import { freePort } from '../support/free-port.ts';
import { commandFromSources, sendJson, serve } from './stub-server.ts';

const partBytes = 4 * 1024 * 1024;
const problem = { type: '/problems/unavailable', title: 'Unavailable', status: 503, detail: 'Stopping.' };

test('a file goes in parts, and on from where a broken connection left it', async () => {
  const bytes = Buffer.alloc(2 * partBytes + 5, 'weir');
  const asked: string[] = [];
  let arrived = Buffer.alloc(0);
  const url = await serve(async (request, response) => {
    const range = request.headers['content-range'] ?? '';
    asked.push(range);
    if (asked.length === 2) return response.destroy();
    const body = await buffer(request);
    // The store keeps half of the first part only.
    arrived = Buffer.concat([arrived, asked.length === 1 ? body.subarray(0, partBytes / 2) : body]);
    if (arrived.length === bytes.length) return response.writeHead(200).end();
    return response.writeHead(308, { range: `bytes=0-${arrived.length - 1}` }).end();
  });
  const advanced: number[] = [];
  await putParts({ url, headers: {} }, 'data', new Blob([bytes]), (more) => advanced.push(more));
  const [half, total] = [partBytes / 2, bytes.length];
  expect(asked).toEqual([
    `bytes 0-${partBytes - 1}/${total}`,
    `bytes ${half}-${half + partBytes - 1}/${total}`,
    `bytes */${total}`,
    `bytes ${half}-${half + partBytes - 1}/${total}`,
    `bytes ${half + partBytes}-${total - 1}/${total}`,
  ]);
  expect(arrived.equals(bytes)).toBe(true);
  expect(advanced.reduce((sum, more) => sum + more, 0)).toBe(total);
});

test('what the store refuses is said and not tried again; an empty file is one question', async () => {
  const asked: string[] = [];
  const url = await serve((request, response) => {
    asked.push(request.headers['content-range'] ?? '');
    response.writeHead(asked.length === 1 ? 200 : 403).end();
  });
  await putParts({ url, headers: {} }, 'empty', new Blob([]), () => undefined);
  await expect(putParts({ url, headers: {} }, 'data', new Blob(['a']), () => undefined)).rejects.toThrow(
    "data can't be moved: the store answered 403.",
  );
  expect(asked).toEqual(['bytes */0', 'bytes 0-0/1']);
});

test('a download goes on where it broke, and has its name only once it is what was kept', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'weir-download-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const bytes = Buffer.alloc(300_000, 'weir');
  const ranges: (string | undefined)[] = [];
  const url = await serve(({ headers: { range } }, response) => {
    ranges.push(range);
    const from = Number(/\d+/.exec(range ?? '0')?.[0]);
    response.writeHead(from === 0 ? 200 : 206, { 'content-length': bytes.length - from });
    if (ranges.length > 1) return response.end(bytes.subarray(from));
    return response.write(bytes.subarray(0, 100_000), () => setImmediate(() => response.destroy()));
  });
  const open = (from: number) => fetchSigned(url, 'a', from === 0 ? {} : { headers: { range: `bytes=${from}-` } });
  const file = join(directory, 'a/b');
  let arrived = 0;
  const advance = (more: number) => void (arrived += more);
  await download('a', { file, sha256: createHash('sha256').update(bytes).digest('hex'), open, advance });
  expect((await readFile(file)).equals(bytes)).toBe(true);
  expect([ranges.length, arrived]).toEqual([2, bytes.length]);

  const other = { file: `${file}2`, sha256: '0'.repeat(64), open, advance };
  await expect(download('a', other)).rejects.toThrow('its checksum differs');
  await expect(readFile(`${file}2`)).rejects.toThrow('ENOENT');
});

test('a download goes on after a restart of weir, which first refuses and then is not there', async () => {
  const bytes = Buffer.alloc(300_000, 'weir');
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const log: string[] = [];
  const asks = { artifact: 0 };
  const url = await serve(({ url: path = '', headers: { range } }, response) => {
    if (path.startsWith('/v1/jobs/summaries?'))
      return sendJson(response, 200, { items: [{ id: 'job_1' }], nextCursor: null });
    if (path.startsWith('/v1/jobs/job_1/artifacts?'))
      return sendJson(response, 200, { items: [{ path: 'a', sizeBytes: bytes.length, sha256 }], nextCursor: null });
    if (path === '/v1/jobs/job_1/artifacts/a') {
      asks.artifact += 1;
      log.push(`ask ${asks.artifact}`);
      if (asks.artifact === 2) return sendJson(response, 503, problem);
      if (asks.artifact === 3) return response.destroy();
      return response.writeHead(302, { location: `${url}/bytes` }).end();
    }
    if (asks.artifact > 1) {
      log.push('the rest');
      // Of what was on its way when the connection broke, some may never have come.
      const first = Number(/^bytes=(\d+)-$/.exec(range ?? 'bytes=0-')?.[1]);
      return response.writeHead(range === undefined ? 200 : 206).end(bytes.subarray(first));
    }
    log.push('a part');
    response.writeHead(200, { 'content-length': bytes.length });
    return response.write(bytes.subarray(0, 100_000), () => setImmediate(() => response.destroy()));
  });
  const weir = await commandFromSources({ WEIR_URL: url, WEIR_KEY: 'key' });
  const got = await weir.run(['artifacts', 'get', 'job', '-o', 'got']);
  expect(got).toEqual({ code: 0, stdout: 'got/a\n', stderr: '' });
  expect((await readFile(join(weir.directory, 'got/a'))).equals(bytes)).toBe(true);
  expect(log).toEqual(['ask 1', 'a part', 'ask 2', 'ask 3', 'ask 4', 'the rest']);
});

test('what makes something, quotes too, is asked for again by the same key where the connection breaks or weir is away', async () => {
  const asked: [path: string | undefined, key: unknown][] = [];
  const inTheWay: ((response: ServerResponse) => unknown)[] = [
    (response) => response.destroy(),
    (response) => response.writeHead(502, { 'content-type': 'text/html' }).end('<html>Bad gateway'),
    (response) => sendJson(response, 409, { ...problem, status: 409, retryAfterSeconds: 1 }),
  ];
  const url = await serve(async (request, response) => {
    asked.push([request.url, request.headers['idempotency-key']]);
    await json(request);
    const answer = inTheWay.shift();
    return answer === undefined ? sendJson(response, 201, { id: 'made' }) : answer(response);
  });
  const weir = await commandFromSources({ WEIR_URL: url, WEIR_KEY: 'key' });
  const given = ['submit', '--yes', '--no-source', '--name', 'a', '--', 'true'];
  expect(await weir.run(given)).toEqual({ code: 0, stdout: 'made\n', stderr: '' });
  expect(asked.map(([path]) => path)).toEqual([...Array<string>(4).fill('/v1/quotes'), '/v1/jobs']);
  const keys = asked.map(([, key]) => key);
  expect([new Set(keys.slice(0, 4)).size, new Set(keys).size, keys.includes(undefined)]).toEqual([1, 2, false]);
});

test('who gives up on what makes something says that it may have been made, unless nothing reached the server', async () => {
  const url = await serve((_request, response) => sendJson(response, 503, { ...problem, status: 503 }));
  vi.spyOn(Date, 'now').mockImplementation(() => performance.now() * 1e6);
  onTestFinished(() => void vi.restoreAllMocks());
  const making = (server: string) =>
    make(
      (header) =>
        createApi({ url: server, key: 'key' }).POST('/v1/tenants', { params: { header }, body: { name: 'a' } }),
      'weir tenants ls',
    );
  await expect(making(url)).rejects.toMatchObject({
    next: 'it may have been done all the same: weir tenants ls shows whether',
    problem: { status: 503 },
  });
  await expect(making(`http://127.0.0.1:${await freePort()}`)).rejects.toMatchObject({
    next: expect.stringContaining('check the address'),
  });
});

test('a server that takes the connection and says nothing is left after half a minute', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const url = await serve(() => void vi.advanceTimersByTime(30_000));
  await expect(createApi({ url, key: 'key' }).GET('/v1/me')).rejects.toThrow(
    `weir does not answer at ${url}: it has said nothing for 30 s`,
  );
});

test('what ends by a signal leaves nothing half done behind', async () => {
  const left: string[] = [];
  const others = ['code', 'node-compile-cache'];
  const files = async () => (await readdir(weir.directory)).filter((name) => !others.includes(name));
  let stop = (): void => undefined;
  const url = await serve(async ({ url: path = '' }, response) => {
    if (path === '/v1/quotes') return sendJson(response, 201, { id: 'qte_1' });
    if (path.startsWith('/v1/jobs/summaries?'))
      return sendJson(response, 200, { items: [{ id: 'job_1' }], nextCursor: null });
    if (path.includes('artifacts?'))
      return sendJson(response, 200, { items: [{ path: 'a', sizeBytes: 9, sha256: '' }], nextCursor: null });
    if (path.endsWith('artifacts/a')) return response.writeHead(302, { location: `${url}/bytes` }).end();
    // Here the command waits, with its archive or the beginning of its file on the disk.
    left.push(...(await files()));
    return stop();
  });
  const weir = await commandFromSources({ WEIR_URL: url, WEIR_KEY: 'key' });
  const [program, ...words] = weir.words;
  for (const given of [
    ['submit', '--yes', '--source', 'code', '--name', 'a', '--', 'true'],
    ['artifacts', 'get', 'job'],
  ]) {
    await mkdir(join(weir.directory, 'code'), { recursive: true });
    await weir.write('code/main.sh', 'true');
    const env = { ...weir.env, TMPDIR: weir.directory };
    const child = spawn(program, [...words, ...given], { cwd: weir.directory, env, stdio: 'ignore' });
    stop = () => void child.kill('SIGINT');
    expect(await once(child, 'close')).toEqual([130, null]);
  }
  expect(left).toEqual([expect.stringMatching(/^weir-source-/), 'a.part']);
  expect(await files()).toEqual([]);
});
