import { setTimeout as sleep } from 'node:timers/promises';
import { maxPathBytes } from '../protocol/limits.ts';
import { Refused, StaleAttempt } from './broker.ts';
import { isUnreadable, listInside, openInside, type FoundFile } from './inside.ts';
import type { JobLog } from './log.ts';
import { createRoom } from './room.ts';
import { FileChanged, uploadFile, type UploadPlace } from './upload.ts';
import { inGiB, type NotKept } from './verdict.ts';

const pollMs = 1000;
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
    for (const file of found ?? []) files.set(file.path, file);
  }
  const { fitting, faults } = withinDisk([...files.values()], deps);
  const work = async (): Promise<void> => {
    for (let file = fitting.shift(); file !== undefined; file = fitting.shift()) {
      const fault = await uploadOne(file.path, 'output', deps);
      if (fault !== undefined) faults.push(fault);
    }
  };
  await Promise.all(Array.from({ length: parallelUploads }, work));
  return faults;
}

/** What fits the job's disk at its full length: a file's holes take none of it, but they are read, sent and stored like other bytes. */
function withinDisk(
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

/** Undefined when it is uploaded, or not there to be; else what went wrong. */
async function uploadOne(path: string, kind: 'output' | 'checkpoint', deps: OutputsDeps): Promise<NotKept | undefined> {
  if (Buffer.byteLength(path) > maxPathBytes)
    return {
      path,
      why: `its path has more than ${maxPathBytes} bytes, give it a shorter one`,
      reason: 'output-refused',
    };
  const file = await openInside(deps.workDir, path, deps.uid);
  if (file === undefined && isUnreadable(path))
    return { path, why: 'its name is not UTF-8, rename it', reason: 'output-refused' };
  if (file === undefined) {
    deps.log.say(`weir: ${path} is not kept: it can't be read as a regular file of the job's own.`);
    return undefined;
  }
  try {
    await uploadFile({ path, kind, file }, deps.place);
    return undefined;
  } catch (error) {
    if (error instanceof StaleAttempt) throw error;
    deps.place.signal.throwIfAborted();
    return { path, why: (error as Error).message, reason: reasonOf(error) };
  } finally {
    await file.close();
  }
}

function reasonOf(error: unknown): NotKept['reason'] {
  if (error instanceof FileChanged) return 'output-refused';
  if (!(error instanceof Refused)) return 'upload-failed';
  if (error.isOfStorage) return 'storage-refused';
  return refusals.has(error.problem) ? 'output-refused' : 'upload-failed';
}

export type CheckpointWatch = {
  /** Uploads what is there at the end; answers what could not be. */
  finish: () => Promise<NotKept[]>;
};

/** Uploads the files of the checkpoint folder as they appear, each once it has stopped changing, and again when it changes. */
export function watchCheckpoints(path: string | undefined, deps: OutputsDeps): CheckpointWatch {
  if (path === undefined) return { finish: () => Promise.resolve([]) };
  const uploaded = new Map<string, string>();
  const ended = new AbortController();
  let seen = new Map<string, string>();
  let faults: NotKept[] = [];

  const uploadIfNew = async (file: FoundFile): Promise<void> => {
    const version = versionOf(file);
    if (uploaded.get(file.path) === version) return;
    const fault = await uploadOne(file.path, 'checkpoint', deps);
    faults = faults.filter(({ path: known }) => known !== file.path);
    if (fault !== undefined) faults.push(fault);
    if (fault?.reason === 'storage-refused') deps.giveUp(fault);
    uploaded.set(file.path, version);
  };

  const watch = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      await sleep(pollMs, undefined, { signal: ended.signal }).catch(() => undefined);
      // What lies there before was restored from an earlier attempt.
      if (ended.signal.aborted || !deps.hasStarted()) continue;
      const { fitting: files } = withinDisk((await listInside(deps.workDir, path)) ?? [], deps);
      for (const file of files) if (seen.get(file.path) === versionOf(file)) await uploadIfNew(file);
      seen = new Map(files.map((file) => [file.path, versionOf(file)]));
    }
  };
  const watching = watch();
  watching.catch(() => undefined);

  return {
    finish: async () => {
      ended.abort();
      await watching;
      const last = withinDisk((await listInside(deps.workDir, path)) ?? [], deps);
      for (const file of last.fitting) await uploadIfNew(file);
      return [...faults, ...last.faults];
    },
  };
}

function versionOf({ sizeBytes, modifiedMs }: FoundFile): string {
  return `${sizeBytes} ${modifiedMs}`;
}
