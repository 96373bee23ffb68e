import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SeenInstance } from '../provider.ts';
import { isRunning, ownProcessId, type ProcessId } from './processes.ts';

/** What is known of an instance on disk, written before its runner is started and again with it. */
export type InstanceRecord = SeenInstance & {
  createdAt: string;
  endsAt: string;
  workDir: string;
  uid: number | null;
  runner: ProcessId | null;
};

/** The job's processes, as the runner wrote them down. */
export type JobFile = {
  pid: number;
  pgid: number;
  uid: number | null;
  marker: string;
  /** Where a container engine runs it. */
  container?: { program: string; name: string };
};

const removedPrefix = '.removed-';

export function readRecord(directory: string): Promise<InstanceRecord | undefined> {
  return readJson<InstanceRecord>(join(directory, 'instance.json'));
}

/** In one step, so that no reader and no crash sees half of it. */
export async function writeRecord(directory: string, record: InstanceRecord): Promise<void> {
  const draft = join(directory, `.${randomUUID()}`);
  await writeFile(draft, JSON.stringify(record), { mode: 0o600 });
  await rename(draft, join(directory, 'instance.json'));
}

export function readJobFile(directory: string): Promise<JobFile | undefined> {
  return readJson<JobFile>(join(directory, 'state', 'job.json'));
}

/** When the runner was first asked to end; asked now if it was not. */
export async function askedToEndAt(directory: string, now: Date): Promise<{ at: Date; isFirst: boolean }> {
  const path = join(directory, 'asked-to-end');
  const isFirst = await writeFile(path, now.toISOString(), { flag: 'wx', mode: 0o600 }).then(
    () => true,
    () => false,
  );
  return { at: isFirst ? now : new Date(await readFile(path, 'utf8')), isFirst };
}

/**
 * Does `work` as the only process of any weir here that works on this directory. A holder that died is succeeded: the claims
 * are numbered, and of several successors one can make the next number.
 * @returns undefined where another holds it.
 */
export async function withClaim<T>(directory: string, work: () => Promise<T>): Promise<{ result: T } | undefined> {
  const numbers = (await readdir(directory))
    .filter((name) => name.startsWith('claim.'))
    .map((name) => Number(name.slice('claim.'.length)));
  const last = Math.max(0, ...numbers);
  const holder = last === 0 ? undefined : await readJson<ProcessId>(join(directory, `claim.${last}`));
  if (holder !== undefined && isRunning(holder)) return undefined;

  const draft = join(directory, `.${randomUUID()}`);
  const claim = join(directory, `claim.${last + 1}`);
  await writeFile(draft, JSON.stringify(ownProcessId()), { mode: 0o600 });
  const isOurs = await link(draft, claim).then(
    () => true,
    () => false,
  );
  await rm(draft, { force: true });
  if (!isOurs) return undefined;
  try {
    return { result: await work() };
  } finally {
    await rm(claim, { force: true });
  }
}

export async function listNames(instances: string): Promise<string[]> {
  return (await readdir(instances)).filter((name) => !name.startsWith('.'));
}

/** Directories whose removal was begun. */
export async function listRemoved(instances: string): Promise<string[]> {
  return (await readdir(instances))
    .filter((name) => name.startsWith(removedPrefix))
    .map((name) => join(instances, name));
}

/** Takes the directory out of the list at once; of several that try, one does. What is in it is removed later. */
export async function markRemoved(instances: string, name: string): Promise<void> {
  await rename(join(instances, name), join(instances, `${removedPrefix}${name}-${randomUUID()}`)).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    },
  );
}

/** How long ago something was last made or removed in it; undefined where it is not there. */
export async function ageOf(directory: string): Promise<number | undefined> {
  return stat(directory).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => undefined,
  );
}

export async function makeInstanceDirectory(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
}

async function readJson<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T;
  } catch {
    return undefined;
  }
}
