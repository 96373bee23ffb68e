import { constants } from 'node:fs';
import { lstat, mkdir, open, readdir, lchown, readlink, realpath, type FileHandle } from 'node:fs/promises';
import { join, sep } from 'node:path';

/**
 * The path of a file to write in the working directory, its folders made. Links on the way are refused: an archive may hold
 * links to anywhere, and the runner may be root.
 */
export async function placeInside(directory: string, relativePath: string): Promise<string> {
  const parts = relativePath.split('/').filter((part) => part !== '' && part !== '.');
  let path = directory;
  for (const [index, part] of parts.entries()) {
    if (part === '..') throw new Error(`${relativePath} leaves the working directory`);
    path = join(path, part);
    const found = await lstat(path).catch(() => undefined);
    if (found?.isSymbolicLink() === true) throw new Error(`${relativePath} goes through the link ${part}`);
    if (index < parts.length - 1 && found === undefined) await mkdir(path);
  }
  return path;
}

/** Opens a file for writing at a path made by `placeInside`. */
export function createFile(path: string): Promise<FileHandle> {
  return open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW, 0o644);
}

/**
 * Opens a regular file that the job has made. Undefined where it is none, where it lies elsewhere by way of a link, or
 * where it belongs to somebody else.
 */
export async function openInside(
  directory: string,
  relativePath: string,
  uid: number | null,
): Promise<FileHandle | undefined> {
  // Without O_NONBLOCK a FIFO would be waited for.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(join(directory, relativePath), flags).catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    const info = await file.stat();
    // The path may have been another when it was opened: the kernel knows where the file really is.
    const place = await readlink(`/proc/self/fd/${file.fd}`);
    const isOurs =
      info.isFile() && place.startsWith(`${await realpath(directory)}${sep}`) && (uid === null || info.uid === uid);
    if (isOurs) return file;
  } catch {
    // Gone in the meantime.
  }
  await file.close();
  return undefined;
}

export type FoundFile = { path: string; sizeBytes: number; modifiedMs: number };

/** The regular files at or under a path, links left out. Undefined where there is nothing. */
export async function listInside(directory: string, relativePath: string): Promise<FoundFile[] | undefined> {
  const path = relativePath
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
  const info = await lstat(join(directory, path)).catch(() => undefined);
  if (info === undefined) return undefined;
  if (info.isFile()) return [{ path, sizeBytes: info.size, modifiedMs: info.mtimeMs }];
  if (!info.isDirectory()) return [];
  const entries = await readdir(join(directory, path)).catch(() => []);
  const found: FoundFile[] = [];
  for (const entry of entries.toSorted((a, b) => (a < b ? -1 : 1))) {
    const entryPath = path === '' ? entry : `${path}/${entry}`;
    const inside = await listInside(directory, entryPath);
    if (inside !== undefined) found.push(...inside);
    else if (isUnreadable(entry)) found.push({ path: entryPath, sizeBytes: 0, modifiedMs: 0 });
  }
  return found;
}

/** A name that is not UTF-8 reads as one that is not there. It is listed, so that the file is missed. */
export function isUnreadable(name: string): boolean {
  return name.includes('\ufffd');
}

/** Gives the directory and all in it to a uid; links themselves, not what they lead to. */
export async function giveTo(uid: number, path: string): Promise<void> {
  await lchown(path, uid, uid);
  const info = await lstat(path);
  if (!info.isDirectory()) return;
  for (const entry of await readdir(path)) await giveTo(uid, join(path, entry));
}
