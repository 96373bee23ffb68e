import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { Refused, type Broker } from './broker.ts';
import { callHttp, type HttpAnswer } from './http-call.ts';
import { backOff, isPassing, type Patience } from './retry.ts';

/** A multiple of 256 KiB, as Cloud Storage asks for. */
const chunkBytes = 32 * 1024 * 1024;
const readBytes = 1024 * 1024;
const idleTimeoutMs = 60_000;
const maxRestarts = 3;

export type Uploadable = { path: string; kind: 'output' | 'checkpoint'; file: FileHandle };
export type UploadPlace = {
  broker: Broker;
  brokerUrl: string;
  attempt: number;
  /** No file is longer: as much as the job has of its disk. */
  mostBytes: number;
  /** With storage that refuses. */
  patience: Patience;
  /** With storage that is away, or fails. */
  stall: Patience;
  signal: AbortSignal;
};

const sessionIsOver = new Set([401, 403, 404, 410]);

/** The session is gone: the upload begins anew. */
class SessionLost extends Error {}

/** The job took away what was announced: the upload begins anew, with what there is now. */
export class FileChanged extends Error {}

/**
 * Brings a file to the bucket, however often the connection breaks. Answers the artifact's id.
 * @throws Refused where the broker or the bucket will not have it
 */
export async function uploadFile(upload: Uploadable, place: UploadPlace): Promise<string> {
  for (let restarts = 0; ; restarts++) {
    try {
      return await uploadOnce(upload, place);
    } catch (error) {
      // A file that the job changed meanwhile has another checksum than was announced.
      const isRepeatable =
        error instanceof SessionLost ||
        error instanceof FileChanged ||
        (error instanceof Refused && error.problem === 'checksum-mismatch');
      if (!isRepeatable || restarts === maxRestarts) throw error;
    }
  }
}

async function uploadOnce({ path, kind, file }: Uploadable, place: UploadPlace): Promise<string> {
  const { broker, attempt } = place;
  const digest = await digestOf(file, place.mostBytes);
  const ticket = await whileRefused(place, () => broker.beginUpload({ attempt, path, kind, ...digest }));
  if (ticket.url !== null) await sendBytes(file, digest.sizeBytes, new URL(ticket.url, place.brokerUrl), place);
  await whileRefused(place, () => broker.completeUpload(ticket.id, attempt));
  return ticket.id;
}

/** An operator may put the storage right in time. */
async function whileRefused<T>({ patience, signal }: UploadPlace, ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      const answer = await ask();
      patience.taken();
      return answer;
    } catch (error) {
      if (!(error instanceof Refused) || !error.isOfStorage || !(await patience.refused(signal))) throw error;
    }
  }
}

async function digestOf(
  file: FileHandle,
  mostBytes: number,
): Promise<{ sizeBytes: number; sha256: string; md5: string }> {
  const sha256 = createHash('sha256');
  const md5 = createHash('md5');
  let sizeBytes = 0;
  for await (const chunk of readRange(file, 0, Infinity)) {
    sha256.update(chunk);
    md5.update(chunk);
    sizeBytes += chunk.length;
    if (sizeBytes > mostBytes) throw new FileChanged('it became longer than the job’s disk while it was uploaded');
  }
  return { sizeBytes, sha256: sha256.digest('hex'), md5: md5.digest('hex') };
}

/** A file handle's own stream would close the file when a connection breaks. */
async function* readRange(file: FileHandle, start: number, end: number): AsyncGenerator<Buffer> {
  for (let position = start; position < end;) {
    const { bytesRead, buffer } = await file.read(
      Buffer.allocUnsafe(readBytes),
      0,
      Math.min(readBytes, end - position),
      position,
    );
    if (bytesRead === 0 && end === Infinity) return;
    // Fewer bytes than were announced would leave the request waiting for the rest.
    if (bytesRead === 0) throw new FileChanged('it was cut short while it was uploaded, again and again');
    yield buffer.subarray(0, bytesRead);
    position += bytesRead;
  }
}

/** Cloud Storage's resumable protocol: https://cloud.google.com/storage/docs/performing-resumable-uploads */
async function sendBytes(file: FileHandle, sizeBytes: number, url: URL, place: UploadPlace): Promise<void> {
  const { stall, signal } = place;
  const isBroker = url.origin === new URL(place.brokerUrl).origin;
  let received = 0;
  let position: number | undefined = 0;
  for (let failures = 0; ;) {
    const answer = await put(file, sizeBytes, position, { url, signal }).catch(unlessChanged);
    signal.throwIfAborted();
    if (answer === undefined || isPassing(answer.status)) {
      // What has arrived of it, only the bucket knows.
      position = undefined;
      // A broker that is away is waited for as with every other call.
      if (answer === undefined && isBroker) await backOff(failures++, signal);
      else if (!(await stall.refused(signal))) throw new Stalled(answer);
      continue;
    }
    if (answer.status === 200 || answer.status === 201) return stall.taken();
    requireGoingOn(answer);
    position = receivedBytes(answer);
    if (position > received) stall.taken();
    else if (!(await stall.refused(signal))) throw new Stalled(answer);
    received = Math.max(received, position);
  }
}

class Stalled extends Error {
  constructor(answer: HttpAnswer | undefined) {
    const said = answer === undefined ? 'it does not answer' : `it answered HTTP ${answer.status} to the end`;
    super(`the object store has taken nothing for too long: ${said}`);
  }
}

function unlessChanged(error: unknown): undefined {
  if (error instanceof FileChanged) throw error;
}

/** @throws SessionLost, or Refused, where the answer asks for no more bytes. */
function requireGoingOn({ status, body }: HttpAnswer): void {
  // Where it is no fault of this session the broker is refused as well, and says so.
  if (sessionIsOver.has(status)) throw new SessionLost('the upload was broken off again and again');
  if (status !== 308)
    throw new Refused(status, '', `the object store answered HTTP ${status}: ${body.toString().slice(0, 300)}`);
}

type Session = { url: URL; signal: AbortSignal };

function put(file: FileHandle, sizeBytes: number, position: number | undefined, session: Session): Promise<HttpAnswer> {
  const call = { method: 'PUT' as const, idleTimeoutMs, ...session };
  const isQuestion = position === undefined || position >= sizeBytes;
  if (isQuestion)
    return callHttp({ ...call, headers: { 'content-range': `bytes */${sizeBytes}` }, body: Buffer.alloc(0) });
  const end = Math.min(sizeBytes, position + chunkBytes) - 1;
  return callHttp({
    ...call,
    headers: { 'content-range': `bytes ${position}-${end}/${sizeBytes}`, 'content-length': end - position + 1 },
    body: Readable.from(readRange(file, position, end + 1), { objectMode: false, highWaterMark: readBytes }),
  });
}

function receivedBytes(answer: HttpAnswer): number {
  const last = /^bytes=0-([0-9]+)$/.exec(answer.headers.range ?? '')?.[1];
  return last === undefined ? 0 : Number(last) + 1;
}
