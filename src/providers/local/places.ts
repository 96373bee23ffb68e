import { constants } from 'node:fs';
import { chmod, copyFile, link, lstat, mkdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { ConfigError } from '../../config.ts';

/** Where things lie. What only weir may see is under the data directory, what jobs must reach under `workRoot`. */
export type Places = {
  /** One directory per instance; mode 700. */
  instances: string;
  runnerLogs: string;
  compileCache: string;
  workRoot: string;
  /** One working directory per instance; jobs can pass through but not list it. */
  jobs: string;
  /** Programs for jobs: `node`. */
  tools: string;
};

export type PlaceOptions = { dataDir: string; installation: string; workDir: string | undefined; switchesUid: boolean };

/** Makes the directories, and the programs for jobs. */
export async function openPlaces(options: PlaceOptions): Promise<Places> {
  const workRoot = await chooseWorkRoot(options);
  const places = {
    instances: join(options.dataDir, 'instances'),
    runnerLogs: join(options.dataDir, 'runner-logs'),
    compileCache: join(options.dataDir, 'compile-cache'),
    workRoot,
    jobs: join(workRoot, 'jobs'),
    tools: join(workRoot, 'tools'),
  };
  for (const own of [places.instances, places.runnerLogs, places.compileCache])
    await mkdir(own, { recursive: true, mode: 0o700 });
  await makeOwned(workRoot, 0o711);
  await makeOwned(places.jobs, 0o711);
  await makeOwned(places.tools, 0o755);
  await provideProgram(process.execPath, join(places.tools, 'node'));
  return places;
}

async function chooseWorkRoot({ dataDir, installation, workDir, switchesUid }: PlaceOptions): Promise<string> {
  if (workDir !== undefined) {
    await mkdir(workDir, { recursive: true, mode: 0o711 });
    if (switchesUid && !(await othersCanEnter(dirname(workDir)))) {
      throw new ConfigError([
        `providers.local.workDir is ${workDir}, which jobs can't enter, since each has a uid of its own; name one whose parents all have mode o+x, such as /var/lib/weir-jobs.`,
      ]);
    }
    return workDir;
  }
  const reachable = !switchesUid || (await othersCanEnter(dataDir));
  return reachable ? join(dataDir, 'work') : `/var/tmp/weir-${installation}`;
}

/** Whether a user without rights of its own can pass this directory and all above it. */
async function othersCanEnter(path: string): Promise<boolean> {
  const { mode } = await stat(path);
  if ((mode & constants.S_IXOTH) === 0) return false;
  return path === dirname(path) || othersCanEnter(dirname(path));
}

/** @throws Error where someone else has put something of that name there, as anyone can under /var/tmp. */
async function makeOwned(path: string, mode: number): Promise<void> {
  await mkdir(path, { recursive: true, mode });
  const found = await lstat(path);
  if (!found.isDirectory() || found.uid !== process.getuid?.())
    throw new Error(`${path} belongs to someone else: remove it, or name another providers.local.workDir.`);
  // Whatever the umask was.
  await chmod(path, mode);
}

/**
 * Makes a program reachable by hard link, or copies it where that can't be: this Node may lie in a home directory that jobs
 * can't enter.
 */
async function provideProgram(source: string, target: string): Promise<void> {
  const wanted = await stat(source);
  const there = await stat(target).catch(() => undefined);
  if (
    there !== undefined &&
    (there.ino === wanted.ino ||
      (there.size === wanted.size && Math.trunc(there.mtimeMs) === Math.trunc(wanted.mtimeMs)))
  )
    return;
  const draft = `${target}.${randomUUID()}`;
  try {
    const mayRun = (wanted.mode & 0o005) === 0o005;
    await (mayRun ? link(source, draft) : Promise.reject(new Error('a copy is needed'))).catch(async () => {
      await copyFile(source, draft, constants.COPYFILE_FICLONE);
      await chmod(draft, 0o755);
      await utimes(draft, wanted.atime, wanted.mtime);
    });
    await rename(draft, target);
  } finally {
    await rm(draft, { force: true });
  }
}
