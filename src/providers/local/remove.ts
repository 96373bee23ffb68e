import { lstat, readdir, rename, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Places } from './places.ts';
import { listNames, listRemoved, readRecord, type InstanceRecord } from './records.ts';
import { runnerLogOf } from './start.ts';
import { releaseUid } from './uids.ts';

const run = promisify(execFile);

const keptRunnerLogs = 20;
const runnerLogBytes = 1024 ** 2;

/** Where programs leave files and shared memory outside of their working directory. */
const commonDirs = ['/tmp', '/var/tmp', '/dev/shm'];

/** Removes what ended instances have left on disk, and holds the runners' own output small. */
export async function tidy(places: Places, onError: (error: unknown) => void): Promise<void> {
  for (const directory of await listRemoved(places.instances)) await removeInstance(directory, places).catch(onError);
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
  await removeTree(directory);
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
  // What is in directories of others `find` alone removes, which nobody can lead elsewhere meanwhile.
  await run('find', [...commonDirs, '-xdev', '-uid', String(uid), '-delete']).catch(() => undefined);
}

/** Of any depth, which Node's own `rm` can't, and also where the job has taken away its own right to enter. */
async function removeTree(path: string): Promise<void> {
  const remove = () => run('rm', ['-rf', '--', path]);
  await remove().catch(async () => {
    await run('chmod', ['-fR', 'u+rwX', '--', path]).catch(() => undefined);
    await remove();
  });
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
