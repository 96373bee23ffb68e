import { execFile } from 'node:child_process';
import { statfs } from 'node:fs/promises';
import { promisify } from 'node:util';

/** Below it a file system counts as full. */
const leastFreeBytes = 32 * 1024 * 1024;

/** What the directories take, files with two names counted once. */
export async function usedBytes(directories: string[]): Promise<number> {
  const total = /^([0-9]+)\s+total$/m.exec(await outputOf('du', ['-sxk', '-c', '--', ...directories]))?.[1];
  return total === undefined ? 0 : Number(total) * 1024;
}

/** What a uid has at any depth of the directories, leaving some out. */
export async function ownedBytes(uid: number, directories: string[], leftOut: string[] = []): Promise<number> {
  const leaveOut = leftOut.flatMap((path) => ['-path', path.replaceAll(/[*?[\]\\]/g, '\\$&'), '-prune', '-o']);
  const sizes = await outputOf('find', [
    ...directories,
    '-xdev',
    ...leaveOut,
    '-uid',
    String(uid),
    '-printf',
    String.raw`%k\n`,
  ]);
  return sizes.split('\n').reduce((sum, size) => sum + Number(size) * 1024, 0);
}

/** Both programs leave with an error for each file that goes while they look, and still tell the rest. */
async function outputOf(program: string, args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args, { env: {}, maxBuffer: Infinity }).catch(
    (error: { stdout?: string }) => ({ stdout: error.stdout ?? '' }),
  );
  return stdout;
}

/** False where the job has removed the directory. */
export function isFull(directory: string): Promise<boolean> {
  return statfs(directory).then(
    ({ bavail, bsize }) => bavail * bsize < leastFreeBytes,
    () => false,
  );
}
