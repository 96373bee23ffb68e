import { createHash } from 'node:crypto';
import { createReadStream, openAsBlob } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { make } from './api.ts';
import { usageFailure } from './failure.ts';
import type { Upload } from './generated/api.ts';
import { putParts } from './put-parts.ts';
import type { Session } from './session.ts';
import { createStatusLine } from './status-line.ts';
import { createTransfer } from './transfer.ts';

/** A file on its way: what a spec names it by is known before the bytes are sent. */
export type Outgoing = {
  upload: Upload;
  sizeBytes: number;
  /** Nothing where the server has these bytes already. */
  send: () => Promise<void>;
};

export async function announce({ api, named }: Session, path: string): Promise<Outgoing> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() !== true)
    throw usageFailure(`There is no file ${path}.`, 'a directory goes with a job: weir submit SPEC --source DIR');
  const { size: sizeBytes } = found;
  const line = createStatusLine();
  line.set(`reading ${basename(path)}`);
  const sha256 = await digestOf(path).finally(line.clear);
  const body = { name: basename(path), sizeBytes, sha256 };
  const upload = await make((header) => api.POST('/v1/uploads', { params: { query: named, header }, body }));
  return { upload, sizeBytes, send: () => (upload.complete ? Promise.resolve() : send(path, upload)) };
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

async function send(path: string, upload: Upload): Promise<void> {
  const bytes = await openAsBlob(path);
  const transfer = createTransfer(basename(path), bytes.size);
  try {
    await putParts(upload, basename(path), bytes, transfer.advance);
  } finally {
    transfer.end();
  }
}
