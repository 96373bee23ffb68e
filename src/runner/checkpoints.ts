import { setTimeout as sleep } from 'node:timers/promises';
import { Refused } from './broker.ts';
import { listInside, type FoundFile } from './inside.ts';
import { sayLinks, uploadOne, withinDisk, type OutputsDeps } from './outputs.ts';
import type { NotKept } from './verdict.ts';

const pollMs = 1000;
/** What changes for so long without a rest is a log and no part of a checkpoint: the others wait for it no longer. */
const restlessMs = 60_000;

export type CheckpointWatch = {
  /** Uploads what is there at the end; answers what could not be. */
  finish: () => Promise<NotKept[]>;
};

/**
 * Uploads the files of the checkpoint folder as they appear, each once it has stopped changing, and again when it changes; and tells the
 * broker which of them lie there together, each time that all have come to rest and are uploaded. That is what a retry goes on from.
 */
export function watchCheckpoints(path: string | undefined, deps: OutputsDeps): CheckpointWatch {
  if (path === undefined) return { finish: () => Promise.resolve([]) };
  const ended = new AbortController();
  const keeper = createKeeper(deps);
  const list = async () => (await listInside(deps.workDir, path)) ?? { files: [], links: [] };
  const scan = async () => withinDisk((await list()).files, deps);

  const watch = async (): Promise<void> => {
    let seen = new Map<string, string>();
    let restedAtMs = performance.now();
    while (!ended.signal.aborted) {
      await sleep(pollMs, undefined, { signal: ended.signal }).catch(() => undefined);
      // What lies there before was restored from an earlier attempt.
      if (ended.signal.aborted || !deps.hasStarted()) continue;
      const { fitting: files } = await scan();
      const still = files.filter((file) => seen.get(file.path) === versionOf(file));
      const isAtRest = still.length === files.length && files.length === seen.size;
      seen = new Map(files.map((file) => [file.path, versionOf(file)]));
      await keeper.upload(still);
      if (isAtRest || performance.now() - restedAtMs > restlessMs) await keeper.tell(files, still);
      if (isAtRest) restedAtMs = performance.now();
    }
  };
  const watching = watch();
  watching.catch(() => undefined);

  return {
    finish: async () => {
      ended.abort();
      await watching;
      const found = await list();
      sayLinks(path, found, deps);
      const { fitting: files, faults } = withinDisk(found.files, deps);
      await keeper.upload(files);
      await keeper.tell(files, files);
      return [...keeper.faults(), ...faults];
    },
  };
}

/** A version of a file that is in the bucket; without an id where it can't be. */
type Kept = { version: string; id: string | undefined };

function createKeeper(deps: OutputsDeps) {
  const { giveUp, log, place } = deps;
  const kept = new Map<string, Kept>();
  const faults = new Map<string, NotKept>();
  let told = '';
  const isKept = (file: FoundFile): boolean => kept.get(file.path)?.version === versionOf(file);

  const uploadOnce = async (file: FoundFile): Promise<void> => {
    const { id, fault, hasChanged } = await uploadOne(file, 'checkpoint', deps);
    faults.delete(file.path);
    if (fault !== undefined) faults.set(file.path, fault);
    if (fault?.reason === 'storage-refused') giveUp(fault);
    // What has changed, or may go well the next time, is tried again.
    const isDone = fault === undefined || fault.reason === 'output-refused';
    if (isDone && hasChanged !== true) kept.set(file.path, { version: versionOf(file), id });
  };

  return {
    faults: () => [...faults.values()],
    upload: async (files: FoundFile[]): Promise<void> => {
      for (const file of files) if (!isKept(file)) await uploadOnce(file);
    },
    /** Of what does not lie still, the version before goes with the others. */
    tell: async (files: FoundFile[], still: FoundFile[]): Promise<void> => {
      const ids = files.flatMap(({ path }) => kept.get(path)?.id ?? []);
      if (!still.every(isKept) || ids.length === 0 || ids.join() === told) return;
      told = ids.join();
      await place.broker.nameCheckpoint(place.attempt, ids).catch((error: unknown) => {
        if (!(error instanceof Refused)) throw error;
        log.say(`weir: the checkpoint is none to go on from: ${error.message}`);
      });
    },
  };
}

function versionOf({ sizeBytes, modifiedMs }: FoundFile): string {
  return `${sizeBytes} ${modifiedMs}`;
}
