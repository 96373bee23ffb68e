import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { download } from '../../infra/cli/download.ts';
import { putParts } from '../../infra/cli/put-parts.ts';
import { fetchSigned } from '../../infra/cli/signed-url.ts';
import { serve } from './stub-server.ts';

const partBytes = 4 * 1024 * 1024;

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
