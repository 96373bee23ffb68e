import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { json } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';

export type Transfer = {
  sizeBytes: number;
  peakRssBytes: number;
  uploadSeconds: number;
  downloadSeconds: number;
  isIntact: boolean;
};

/** Sends so many bytes to a server process of its own, fetches them back, and reads off the most memory it ever held. */
export async function measureTransfer(sizeBytes: number): Promise<Transfer> {
  const server = spawn(process.execPath, [join(import.meta.dirname, 'serve-objects.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(server, 'exit');
  try {
    const [line] = (await once(createInterface(server.stdout), 'line')) as [string];
    const urls = JSON.parse(line) as { upload: string; download: string };
    const sent = await timed(() => upload(urls.upload, sizeBytes));
    const fetched = await timed(() => download(urls.download));
    const isIntact =
      sent.result.sizeBytes === sizeBytes &&
      fetched.result.sizeBytes === sizeBytes &&
      sent.result.md5 === fetched.result.md5;
    return {
      sizeBytes,
      peakRssBytes: await peakRssOf(server.pid ?? 0),
      uploadSeconds: sent.seconds,
      downloadSeconds: fetched.seconds,
      isIntact,
    };
  } finally {
    server.kill();
    await exited;
  }
}

/** Answers what the server says it received. */
async function upload(url: string, sizeBytes: number): Promise<{ sizeBytes: number; md5: string }> {
  const put = request(url, { method: 'PUT' });
  const answered = once(put, 'response');
  await pipeline(Readable.from(blocks(sizeBytes)), put);
  const [response] = (await answered) as [Readable];
  return (await json(response)) as { sizeBytes: number; md5: string };
}

async function download(url: string): Promise<{ sizeBytes: number; md5: string }> {
  const { body } = await fetch(url);
  const hash = createHash('md5');
  let sizeBytes = 0;
  for await (const chunk of body ?? []) {
    hash.update(chunk);
    sizeBytes += chunk.length;
  }
  return { sizeBytes, md5: hash.digest('hex') };
}

/** Each block differs from the last, so that a lost or doubled one shows. */
function* blocks(sizeBytes: number): Generator<Buffer> {
  for (let offset = 0; offset < sizeBytes;) {
    const block = Buffer.alloc(Math.min(1024 * 1024, sizeBytes - offset));
    block.writeDoubleLE(offset, 0);
    offset += block.length;
    yield block;
  }
}

async function timed<T>(work: () => Promise<T>): Promise<{ result: T; seconds: number }> {
  const start = performance.now();
  return { result: await work(), seconds: (performance.now() - start) / 1000 };
}

/** VmHWM: the high-water mark of resident memory, as Linux keeps it. */
async function peakRssOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}
