import type { FileHandle } from 'node:fs/promises';
import { maxPathBytes } from '../protocol/limits.ts';
import { Refused, StaleAttempt } from './broker.ts';
import { isUnreadable, listInside, openInside, type FoundFile, type Listing } from './inside.ts';
import type { JobLog } from './log.ts';
import { createRoom } from './room.ts';
import { FileChanged, uploadFile, type UploadPlace } from './upload.ts';
import { inGiB, type NotKept } from './verdict.ts';

const parallelUploads = 4;

export type OutputsDeps = {
  workDir: string;
  uid: number | null;
  hasStarted: () => boolean;
  log: Pick<JobLog, 'say'>;
  /** There is no sense in running on: nothing that the job makes could be kept. */
  giveUp: (fault: NotKept) => void;
  place: UploadPlace;
};

/** Uploads what the spec names as outputs; answers what could not be. */
export async function uploadOutputs(paths: string[], deps: OutputsDeps): Promise<NotKept[]> {
  const files = new Map<string, FoundFile>();
  for (const path of paths) {
    const found = await listInside(deps.workDir, path);
    if (found === undefined) deps.log.say(`weir: there is no output ${path} to keep.`);
    else sayLinks(path, found, deps);
    for (const file of found?.files ?? []) files.set(file.path, file);
  }
  const { fitting, faults } = withinDisk([...files.values()], deps);
  const work = async (): Promise<void> => {
    for (let file = fitting.shift(); file !== undefined; file = fitting.shift()) {
      const { fault } = await uploadOne(file, 'output', deps);
      if (fault !== undefined) faults.push(fault);
    }
  };
  await Promise.all(Array.from({ length: parallelUploads }, work));
  return faults;
}

/** Somebody who keeps results by way of a link would miss them. */
export function sayLinks(path: string, { links }: Listing, { log }: Pick<OutputsDeps, 'log'>): void {
  const [first] = links;
  if (first === undefined) return;
  const others = links.length === 1 ? 'is a link' : `and ${links.length - 1} more are links`;
  log.say(`weir: of ${path}, ${first} ${others}, and links are not followed: name in the spec what they lead to.`);
}

/** What fits the job's disk at its full length: a file's holes take none of it, but they are read, sent and stored like other bytes. */
export function withinDisk(
  files: FoundFile[],
  { place: { mostBytes } }: OutputsDeps,
): { fitting: FoundFile[]; faults: NotKept[] } {
  const room = createRoom(mostBytes);
  const fitting: FoundFile[] = [];
  const faults: NotKept[] = [];
  for (const file of files) {
    if (room.take(file.sizeBytes)) fitting.push(file);
    else faults.push({ path: file.path, why: tooLong(file, mostBytes), reason: 'output-refused' });
  }
  return { fitting, faults };
}

function tooLong({ sizeBytes }: FoundFile, mostBytes: number): string {
  return `with its ${inGiB(sizeBytes)}, holes included, the files to keep are more than the job's ${inGiB(mostBytes)} of disk; write less, or ask for more with resources.diskGiB`;
}

/** What the broker says of files that it would not have from another machine either. */
const refusals = new Set(['invalid', 'too-large', 'checksum-mismatch']);

/** What became of a file: its artifact, or what went wrong; neither where it is none of the job's own. */
export type Upload = { id?: string; fault?: NotKept; /** The job wrote to it meanwhile. */ hasChanged?: boolean };

export async function uploadOne(
  found: FoundFile,
  kind: 'output' | 'checkpoint',
  { workDir, uid, log, place }: OutputsDeps,
): Promise<Upload> {
  const { path } = found;
  const refused = (why: string): Upload => ({ fault: { path, why, reason: 'output-refused' } });
  if (Buffer.byteLength(path) > maxPathBytes)
    return refused(`its path has more than ${maxPathBytes} bytes, give it a shorter one`);
  const file = await openInside(workDir, path, uid);
  if (file === undefined && isUnreadable(path)) return refused('its name is not UTF-8, rename it');
  if (file === undefined && (await listInside(workDir, path)) === undefined) return { hasChanged: true };
  if (file === undefined) {
    log.say(`weir: ${path} is not kept: it can't be read as a regular file of the job's own.`);
    return {};
  }
  try {
    const id = await uploadFile({ path, kind, file }, place);
    return { id, hasChanged: await hasChanged(file, found) };
  } catch (error) {
    if (error instanceof StaleAttempt) throw error;
    place.signal.throwIfAborted();
    const fault = { path, why: (error as Error).message, reason: reasonOf(error) };
    return { fault, hasChanged: await hasChanged(file, found) };
  } finally {
    await file.close();
  }
}

async function hasChanged(file: FileHandle, { sizeBytes, modifiedMs }: FoundFile): Promise<boolean> {
  const { size, mtimeMs } = await file.stat();
  return size !== sizeBytes || mtimeMs !== modifiedMs;
}

function reasonOf(error: unknown): NotKept['reason'] {
  if (error instanceof FileChanged) return 'output-refused';
  if (!(error instanceof Refused)) return 'upload-failed';
  if (error.isOfStorage) return 'storage-refused';
  return refusals.has(error.problem) ? 'output-refused' : 'upload-failed';
}
