import { execFile } from 'node:child_process';
import { statfs } from 'node:fs/promises';
import { promisify } from 'node:util';

/** Below it a file system counts as full. */
const leastFreeBytes = 32 * 1024 * 1024;

/** What the directories take, files with two names counted once. */
export async function usedBytes(directories: string[]): Promise<number> {
  // `du` leaves with an error for each file that goes while it looks, and still tells the sum.
  const { stdout } = await promisify(execFile)('du', ['-sxk', '-c', '--', ...directories], { env: {} }).catch(
    (error: { stdout?: string }) => ({ stdout: error.stdout ?? '' }),
  );
  const total = /^([0-9]+)\s+total$/m.exec(stdout)?.[1];
  return total === undefined ? 0 : Number(total) * 1024;
}

/** False where the job has removed the directory. */
export function isFull(directory: string): Promise<boolean> {
  return statfs(directory).then(
    ({ bavail, bsize }) => bavail * bsize < leastFreeBytes,
    () => false,
  );
}
