import { setTimeout as sleep } from 'node:timers/promises';
import { StaleAttempt } from './broker.ts';
import { listInside, openInside, type FoundFile } from './inside.ts';
import type { JobLog } from './log.ts';
import { uploadFile, type UploadPlace } from './upload.ts';

const pollMs = 1000;
const parallelUploads = 4;
const maxPathLength = 1024;

export type OutputsDeps = {
  workDir: string;
  uid: number | null;
  hasStarted: () => boolean;
  log: Pick<JobLog, 'say'>;
  place: UploadPlace;
};

/** Uploads what the spec names as outputs; answers what could not be. */
export async function uploadOutputs(paths: string[], deps: OutputsDeps): Promise<string[]> {
  const files = new Map<string, FoundFile>();
  for (const path of paths) {
    const found = await listInside(deps.workDir, path);
    if (found === undefined) deps.log.say(`weir: there is no output ${path} to keep.`);
    for (const file of found ?? []) files.set(file.path, file);
  }
  const faults: string[] = [];
  const queue = [...files.keys()];
  const work = async (): Promise<void> => {
    for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
      const fault = await uploadOne(path, 'output', deps);
      if (fault !== undefined) faults.push(fault);
    }
  };
  await Promise.all(Array.from({ length: parallelUploads }, work));
  return faults;
}

/** Undefined when it is uploaded, or not there to be; else what went wrong. */
async function uploadOne(path: string, kind: 'output' | 'checkpoint', deps: OutputsDeps): Promise<string | undefined> {
  if (path.length > maxPathLength) return `${path.slice(0, 100)}… has a path of more than ${maxPathLength} characters`;
  const file = await openInside(deps.workDir, path, deps.uid);
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
    return `${path}: ${(error as Error).message}`;
  } finally {
    await file.close();
  }
}

export type CheckpointWatch = {
  /** Uploads what is there at the end; answers what could not be. */
  finish: () => Promise<string[]>;
};

/** Uploads the files of the checkpoint folder as they appear, each once it has stopped changing, and again when it changes. */
export function watchCheckpoints(path: string | undefined, deps: OutputsDeps): CheckpointWatch {
  if (path === undefined) return { finish: () => Promise.resolve([]) };
  const uploaded = new Map<string, string>();
  const ended = new AbortController();
  let seen = new Map<string, string>();
  let faults: string[] = [];

  const uploadIfNew = async (file: FoundFile): Promise<void> => {
    const version = versionOf(file);
    if (uploaded.get(file.path) === version) return;
    const fault = await uploadOne(file.path, 'checkpoint', deps);
    faults = faults.filter((known) => !known.startsWith(`${file.path}: `));
    if (fault !== undefined) faults.push(fault);
    uploaded.set(file.path, version);
  };

  const watch = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      await sleep(pollMs, undefined, { signal: ended.signal }).catch(() => undefined);
      // What lies there before was restored from an earlier attempt.
      if (ended.signal.aborted || !deps.hasStarted()) continue;
      const files = (await listInside(deps.workDir, path)) ?? [];
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
      for (const file of (await listInside(deps.workDir, path)) ?? []) await uploadIfNew(file);
      return faults;
    },
  };
}

function versionOf({ sizeBytes, modifiedMs }: FoundFile): string {
  return `${sizeBytes} ${modifiedMs}`;
}
