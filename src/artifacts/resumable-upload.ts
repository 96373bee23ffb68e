import { constants } from 'node:fs';
import { mkdir, open, readdir, rm, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { WeirError } from '../core/errors.ts';
import type { Announced, ObjectInfo } from './bucket.ts';
import { readPut, type Put } from './content-range.ts';
import { addTo, createDigests, type Digest } from './digests.ts';
import type { RequireRoom } from './disk-floor.ts';
import type { ObjectFiles } from './object-files.ts';
import { createBufferRelease } from './release-buffers.ts';

/** One upload URL. Its bytes gather in a file of its own until they are all there. */
export type Session = Announced & { id: string; key: string };

export type Received = { isComplete: true; info: ObjectInfo } | { isComplete: false; receivedBytes: number };

export type ResumableUploads = {
  /** Takes one PUT. A connection that breaks is no error: what arrived is kept. */
  receive: (session: Session, contentRange: string | undefined, body: Readable) => Promise<Received>;
  discardUnfinished: (before: Date) => Promise<void>;
};

type Part = Exclude<Put, { kind: 'status' }>;

/** The receiving side of Cloud Storage's resumable uploads: as much of it as runner, CLI and curl speak. */
export function createResumableUploads(
  directory: string,
  objects: ObjectFiles,
  requireRoom: RequireRoom,
): ResumableUploads {
  const digests = createDigests();
  const exclusively = createTurns();
  const pathOf = (session: Session) => join(directory, session.id);

  const write = async (session: Session, put: Part, body: Readable): Promise<Received> => {
    const path = pathOf(session);
    const before = put.kind === 'whole' ? 0 : await sizeOf(path);
    if (put.kind === 'part' && put.first > before) return { isComplete: false, receivedBytes: before };

    const digest = await digests.take(path, before, session.sha256 !== undefined);
    const file = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600);
    try {
      if (put.kind === 'whole') await file.truncate(0);
      const skip = put.kind === 'whole' ? 0 : before - put.first;
      await append({ file, digest, skip, end: put.kind === 'whole' ? put.total : put.end, requireRoom }, body);
    } finally {
      await file.close();
      digests.keep(path, digest);
    }
    if (!isAllThere(put, digest.bytes, body)) return { isComplete: false, receivedBytes: digest.bytes };

    const { md5, sha256 } = await digests.take(path, digest.bytes, session.sha256 !== undefined);
    await requireAnnounced(path, sha256?.digest('hex'), session.sha256);
    const info = { sizeBytes: digest.bytes, md5: md5.digest('hex') };
    await objects.commit(path, session.key, info);
    return { isComplete: true, info };
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
    const done = result
      .then(
        () => undefined,
        () => undefined,
      )
      .finally(() => turns.delete(id));
    turns.set(id, { body, done });
    return result;
  };
}

const releaseBuffers = createBufferRelease();

/** After so many bytes the disk is looked at again: others write too. */
const lookBytes = 16 * 1024 * 1024;

type Target = {
  file: FileHandle;
  digest: Digest;
  skip: number;
  end: number | undefined;
  requireRoom: RequireRoom;
};

/** Writes the body behind what is there, without its first `skip` bytes, until it ends or breaks. */
async function append({ file, digest, skip, end, requireRoom }: Target, body: Readable): Promise<void> {
  const isCut = () => body.errored !== null || (body.destroyed && !body.readableEnded);
  let ahead = skip;
  let lookAt = digest.bytes;
  try {
    for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      const fresh = chunk.subarray(Math.min(ahead, chunk.length));
      ahead -= chunk.length - fresh.length;
      if (end !== undefined && digest.bytes + fresh.length > end)
        throw new WeirError('too-large', `More bytes were sent than the ${end} announced.`);
      if (digest.bytes >= lookAt) {
        await requireRoom(lookBytes);
        lookAt = digest.bytes + lookBytes;
      }
      await writeAll(file, fresh, digest.bytes);
      addTo(digest, fresh);
      releaseBuffers(chunk.length);
    }
  } catch (error) {
    if (!isCut()) throw error;
  }
}

async function writeAll(file: FileHandle, chunk: Buffer, position: number): Promise<void> {
  try {
    for (let written = 0; written < chunk.length;) {
      written += (await file.write(chunk, written, chunk.length - written, position + written)).bytesWritten;
    }
  } catch (cause) {
    throw new WeirError(
      'unavailable',
      'The object store could not write, most likely for want of space. Try again later.',
      { cause },
    );
  }
}

/** @throws WeirError `invalid` for a plain PUT that ended early without breaking: it will not be resumed. */
function isAllThere(put: Part, receivedBytes: number, body: Readable): boolean {
  if (put.kind === 'part') return receivedBytes === put.total;
  const hasEnded = body.readableEnded && body.errored === null;
  if (!hasEnded) return false;
  if (put.total !== undefined && receivedBytes !== put.total) {
    throw new WeirError(
      'invalid',
      `${receivedBytes} bytes were sent instead of the ${put.total} announced. Send all of them.`,
    );
  }
  return true;
}

/** @throws WeirError `checksum-mismatch`, what came removed: whoever sends again would be asked for what follows it. */
async function requireAnnounced(path: string, found: string | undefined, announced: string | undefined): Promise<void> {
  if (found === announced) return;
  await rm(path, { force: true });
  throw new WeirError(
    'checksum-mismatch',
    `The bytes have the SHA-256 ${found}, and ${announced} was announced. They were dropped: send the right ones, or ask for an upload with the checksum of these.`,
  );
}

function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

async function discardOlder(directory: string, before: Date): Promise<void> {
  for (const name of await readdir(directory).catch(() => [])) {
    const path = join(directory, name);
    const seen = await stat(path).catch(() => undefined);
    if (seen !== undefined && seen.mtime < before) await rm(path, { force: true });
  }
}
