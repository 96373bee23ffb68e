import { constants, type Stats } from 'node:fs';
import { lstat, mkdir, open, readdir, lchown, readlink, realpath, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';

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
  const file = await inFolder(directory, dirname(relativePath), (folder) =>
    open(join(folder, basename(relativePath)), flags),
  );
  if (file === undefined) return undefined;
  const info = await file.stat();
  if (info.isFile() && (uid === null || info.uid === uid)) return file;
  await file.close();
  return undefined;
}

/**
 * Does something in a folder of the working directory, whatever links the job makes meanwhile: the kernel says where the folder is that
 * was opened. Undefined where that is elsewhere, where there is none, and where the work fails.
 */
async function inFolder<T>(
  directory: string,
  path: string,
  work: (folder: string) => Promise<T>,
): Promise<T | undefined> {
  const flags = constants.O_RDONLY | constants.O_DIRECTORY;
  const folder = await open(join(directory, path), flags).catch(() => undefined);
  if (folder === undefined) return undefined;
  try {
    const itself = `/proc/self/fd/${folder.fd}`;
    const place = `${await readlink(itself)}${sep}`;
    return place.startsWith(`${await realpath(directory)}${sep}`) ? await work(itself) : undefined;
  } catch {
    return undefined;
  } finally {
    await folder.close();
  }
}

export type FoundFile = { path: string; sizeBytes: number; modifiedMs: number };

export type Listing = {
  /** Regular files. */
  files: FoundFile[];
  /** The paths of links, none of them followed. */
  links: string[];
};

/** What is at or under a path, `.` being the directory itself. Undefined where there is nothing. */
export async function listInside(directory: string, relativePath: string): Promise<Listing | undefined> {
  const path = relativePath
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
  const info = await inFolder(directory, dirname(path), (folder) => lstat(`${folder}/${basename(path) || '.'}`));
  if (info === undefined) return undefined;
  const found: Listing = { files: [], links: [] };
  await collect(directory, path, info, found);
  return found;
}

async function collect(directory: string, path: string, info: Stats, found: Listing): Promise<void> {
  if (info.isFile()) found.files.push({ path, sizeBytes: info.size, modifiedMs: info.mtimeMs });
  if (info.isSymbolicLink()) found.links.push(path);
  if (!info.isDirectory()) return;
  for (const [name, inside] of (await inFolder(directory, path, entriesOf)) ?? [])
    if (inside !== undefined) await collect(directory, join(path, name), inside, found);
    else if (isUnreadable(name)) found.files.push({ path: join(path, name), sizeBytes: 0, modifiedMs: 0 });
}

async function entriesOf(folder: string): Promise<[name: string, info: Stats | undefined][]> {
  const entries: [string, Stats | undefined][] = [];
  for (const name of (await readdir(folder)).toSorted())
    entries.push([name, await lstat(join(folder, name)).catch(() => undefined)]);
  return entries;
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
