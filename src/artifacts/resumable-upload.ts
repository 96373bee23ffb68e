import { createHash, type Hash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { mkdir, open, readdir, rm, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { WeirError } from '../core/errors.ts';
import type { ObjectInfo } from './bucket.ts';
import { readPut, type Put } from './content-range.ts';
import type { ObjectFiles } from './object-files.ts';

/** One upload URL. Its bytes gather in a file of its own until they are all there. */
export type Session = { id: string; key: string; sizeBytes: number | undefined };

export type Received = { isComplete: true; info: ObjectInfo } | { isComplete: false; receivedBytes: number };

export type ResumableUploads = {
  /** Takes one PUT. A connection that breaks is no error: what arrived is kept. */
  receive: (session: Session, contentRange: string | undefined, body: Readable) => Promise<Received>;
  discardUnfinished: (before: Date) => Promise<void>;
};

/** The MD5 of the first so many bytes; a hash can't be stored, so another process reads those bytes again. */
type Digest = { hash: Hash; bytes: number };
const maxDigests = 1000;

type Part = Exclude<Put, { kind: 'status' }>;

/** The receiving side of Cloud Storage's resumable uploads: as much of it as runner, CLI and curl speak. */
export function createResumableUploads(directory: string, objects: ObjectFiles): ResumableUploads {
  const digests = new Map<string, Digest>();
  const exclusively = createTurns();
  const pathOf = (session: Session) => join(directory, session.id);

  const complete = async (session: Session, digest: Digest): Promise<Received> => {
    digests.delete(session.id);
    const info = { sizeBytes: digest.bytes, md5: digest.hash.digest('hex') };
    await objects.commit(pathOf(session), session.key, info);
    return { isComplete: true, info };
  };

  const digestOf = async (session: Session, bytes: number): Promise<Digest> => {
    const kept = digests.get(session.id);
    digests.delete(session.id);
    return kept?.bytes === bytes ? kept : { hash: await hashOf(pathOf(session), bytes), bytes };
  };

  const keep = (session: Session, digest: Digest): void => {
    const oldest = digests.size < maxDigests ? undefined : digests.keys().next().value;
    if (oldest !== undefined) digests.delete(oldest);
    digests.set(session.id, digest);
  };

  const write = async (session: Session, put: Part, body: Readable): Promise<Received> => {
    const before = put.kind === 'whole' ? 0 : await sizeOf(pathOf(session));
    if (put.kind === 'part' && put.first > before) return { isComplete: false, receivedBytes: before };

    const digest = await digestOf(session, before);
    const file = await open(pathOf(session), constants.O_RDWR | constants.O_CREAT, 0o600);
    try {
      if (put.kind === 'whole') await file.truncate(0);
      const skip = put.kind === 'whole' ? 0 : before - put.first;
      await append({ file, digest, skip, end: put.kind === 'whole' ? put.total : put.end }, body);
    } finally {
      await file.close();
      keep(session, digest);
    }
    return isAllThere(put, digest.bytes, body) ? complete(session, digest) : { isComplete: false, receivedBytes: digest.bytes };
  };

  const status = async (session: Session, total: number | undefined, body: Readable): Promise<Received> => {
    const info = await objects.stat(session.key);
    if (info !== undefined) return { isComplete: true, info };
    const receivedBytes = await sizeOf(pathOf(session));
    if (receivedBytes !== total) return { isComplete: false, receivedBytes };
    // All bytes are there, but whoever sent the last did not say so, or we stopped just then.
    return receive(session, { kind: 'part', first: total, end: total, total }, body);
  };

  const receive = (session: Session, put: Part, body: Readable): Promise<Received> =>
    exclusively(session.id, body, async () => {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      const info = await objects.stat(session.key);
      if (info === undefined) return write(session, put, body);
      // A repeat of what is complete, its answer lost: taken in and dropped, since a client that still sends hears nothing.
      await finished(body.resume(), { writable: false }).catch(() => undefined);
      return { isComplete: true, info };
    });

  return {
    receive: (session, contentRange, body) => {
      const put = readPut(contentRange, session.sizeBytes);
      return put.kind === 'status' ? status(session, put.total, body) : receive(session, put, body);
    },
    discardUnfinished: (before) => discardOlder(directory, before),
  };
}

/** One request at a time for each session. A new one means that the old one's connection is lost, though we may not know yet. */
function createTurns() {
  const turns = new Map<string, { body: Readable; done: Promise<unknown> }>();
  return async <T>(id: string, body: Readable, work: () => Promise<T>): Promise<T> => {
    for (let older = turns.get(id); older !== undefined; older = turns.get(id)) {
      older.body.destroy();
      await older.done;
    }
    const result = work();
    const done = result.then(() => undefined, () => undefined).finally(() => turns.delete(id));
    turns.set(id, { body, done });
    return result;
  };
}

type Target = { file: FileHandle; digest: Digest; skip: number; end: number | undefined };

/** Writes the body behind what is there, without its first `skip` bytes, until it ends or breaks. */
async function append({ file, digest, skip, end }: Target, body: Readable): Promise<void> {
  const isCut = () => body.errored !== null || (body.destroyed && !body.readableEnded);
  let ahead = skip;
  try {
    for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      const fresh = chunk.subarray(Math.min(ahead, chunk.length));
      ahead -= chunk.length - fresh.length;
      if (end !== undefined && digest.bytes + fresh.length > end) throw new WeirError('too-large', `More bytes were sent than the ${end} announced.`);
      await writeAll(file, fresh, digest.bytes);
      digest.hash.update(fresh);
      digest.bytes += fresh.length;
    }
  } catch (error) {
    if (!isCut()) throw error;
  }
}

async function writeAll(file: FileHandle, chunk: Buffer, position: number): Promise<void> {
  try {
    for (let written = 0; written < chunk.length; ) {
      written += (await file.write(chunk, written, chunk.length - written, position + written)).bytesWritten;
    }
  } catch (cause) {
    throw new WeirError('unavailable', 'The object store could not write, most likely for want of space. Try again later.', { cause });
  }
}

/** @throws WeirError `invalid` for a plain PUT that ended early without breaking: it will not be resumed. */
function isAllThere(put: Part, receivedBytes: number, body: Readable): boolean {
  if (put.kind === 'part') return receivedBytes === put.total;
  const hasEnded = body.readableEnded && body.errored === null;
  if (!hasEnded) return false;
  if (put.total !== undefined && receivedBytes !== put.total) {
    throw new WeirError('invalid', `${receivedBytes} bytes were sent instead of the ${put.total} announced. Send all of them.`);
  }
  return true;
}

async function hashOf(path: string, bytes: number): Promise<Hash> {
  const hash = createHash('md5');
  if (bytes > 0) await pipeline(createReadStream(path, { end: bytes - 1 }), hash, { end: false });
  return hash;
}

function sizeOf(path: string): Promise<number> {
  return stat(path).then(({ size }) => size, () => 0);
}

async function discardOlder(directory: string, before: Date): Promise<void> {
  for (const name of await readdir(directory).catch(() => [])) {
    const path = join(directory, name);
    const seen = await stat(path).catch(() => undefined);
    if (seen !== undefined && seen.mtime < before) await rm(path, { force: true });
  }
}
