import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { readAnyProgress, type DatedProgress } from './progress.ts';

/** Of a file that grows, the end is read. */
const maxBytes = 4096;

/**
 * What a job wrote into its progress file: as its last line `120/5000 steps`, or `{"done":120,"total":5000}`. The file is the
 * job's, and the runner may be root: a link is not followed, and what is no file, such as a pipe, is not waited for.
 */
export function readProgressFile(path: string): DatedProgress | undefined {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    const stats = fstatSync(file);
    if (!stats.isFile()) return undefined;
    const { size, mtimeMs } = stats;
    const buffer = Buffer.alloc(Math.min(size, maxBytes));
    const bytes = readSync(file, buffer, 0, buffer.length, Math.max(0, size - maxBytes));
    const lines = buffer.toString('utf8', 0, bytes).trimEnd().split('\n');
    const said = readAnyProgress(lines.at(-1) ?? '');
    return said && { ...said, atMs: mtimeMs };
  } catch {
    return undefined;
  } finally {
    closeSync(file);
  }
}
