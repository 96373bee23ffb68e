import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, openAsBlob } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { basename } from 'node:path';
import { answer } from './api.ts';
import { usageFailure } from './failure.ts';
import type { Upload } from './generated/api.ts';
import type { Session } from './session.ts';
import { fetchSigned } from './signed-url.ts';

/** A file on its way: what a spec names it by is known before the bytes are sent. */
export type Outgoing = { upload: Upload; sizeBytes: number; send: () => Promise<void> };

export async function announce({ api, named }: Session, path: string): Promise<Outgoing> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() !== true)
    throw usageFailure(`There is no file ${path}.`, 'a directory goes with a job: weir submit JOB.yaml --source DIR');
  const { size: sizeBytes } = found;
  const body = { name: basename(path), sizeBytes, sha256: await digestOf(path) };
  const params = { query: named, header: { 'Idempotency-Key': randomUUID() } };
  const upload = await answer(api.POST('/v1/uploads', { params, body }));
  return { upload, sizeBytes, send: () => put(path, upload) };
}

export async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

async function put(path: string, { url, method, headers }: Upload): Promise<void> {
  await fetchSigned(url, basename(path), { method, headers, body: await openAsBlob(path) });
}
