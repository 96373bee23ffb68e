import { lstat, readdir, rename, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import type { Places } from './places.ts';
import { listNames, listRemoved, readRecord, type InstanceRecord } from './records.ts';
import { runnerLogOf } from './start.ts';
import { releaseUid } from './uids.ts';

const keptRunnerLogs = 20;
const runnerLogBytes = 1024 ** 2;

/** Where programs leave files and shared memory outside of their working directory. */
const commonDirs = ['/tmp', '/var/tmp', '/dev/shm'];

/** Removes what ended instances have left on disk, and holds the runners' own output small. */
export async function tidy(places: Places): Promise<void> {
  for (const directory of await listRemoved(places.instances)) await removeInstance(directory, places);
  for (const name of await listNames(places.instances)) await boundRunnerLog(runnerLogOf(join(places.instances, name)));
  await boundRunnerLogs(places.runnerLogs);
}

/** The uid goes last: whoever gets it next must not find files of the former. */
async function removeInstance(directory: string, places: Places): Promise<void> {
  const record = await readRecord(directory);
  if (record !== undefined) {
    await removeFiles(record);
    await keepRunnerLog(directory, record.name, places);
    const instanceDir = join(places.instances, record.name);
    if (record.uid !== null) await releaseUid(record.uid, { instanceDir, workDir: record.workDir });
  }
  await rm(directory, { recursive: true, force: true });
}

async function removeFiles({ workDir, uid }: InstanceRecord): Promise<void> {
  await removeTree(workDir);
  if (uid === null) return;
  for (const directory of commonDirs) {
    for (const name of await readdir(directory).catch(() => [])) {
      const path = join(directory, name);
      const owner = await lstat(path).then(
        (found) => found.uid,
        () => undefined,
      );
      if (owner === uid) await removeTree(path);
    }
  }
}

/** Also where the job has taken away its own right to enter. */
async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true, maxRetries: 3 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error;
    await once(spawn('chmod', ['-R', 'u+rwX', path], { stdio: 'ignore' }), 'exit');
    await rm(path, { recursive: true, force: true });
  }
}

/** A runner says something of its own only where something is wrong with it. */
async function keepRunnerLog(directory: string, name: string, { runnerLogs }: Places): Promise<void> {
  const log = runnerLogOf(directory);
  const sizeBytes = await stat(log).then(
    ({ size }) => size,
    () => 0,
  );
  if (sizeBytes > 0) await rename(log, join(runnerLogs, `${name}.log`));
}

/** It is open for appending, so what the runner says next follows at the new end. */
async function boundRunnerLog(path: string): Promise<void> {
  const sizeBytes = await stat(path).then(
    ({ size }) => size,
    () => 0,
  );
  if (sizeBytes > runnerLogBytes) await truncate(path).catch(() => undefined);
}

async function boundRunnerLogs(runnerLogs: string): Promise<void> {
  const paths = (await readdir(runnerLogs)).map((name) => join(runnerLogs, name));
  if (paths.length <= keptRunnerLogs) return;
  const dated = await Promise.all(
    paths.map(async (path) => ({
      path,
      at: await stat(path).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      ),
    })),
  );
  const oldest = dated.sort((a, b) => a.at - b.at).slice(0, paths.length - keptRunnerLogs);
  for (const { path } of oldest) await rm(path, { force: true });
}
