import { execFile } from 'node:child_process';
import { chownSync, closeSync, constants, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';

/** The two ends of a pipe: the job writes to the descriptor, the runner reads the stream. */
export type Pipe = { writeFd: number; stream: Readable; closeWriteEnd: () => void };

/**
 * Pipes for the output of a job. Node gives its children sockets, which can't be opened as /dev/stderr; a FIFO is a pipe
 * that Node can make.
 */
export async function createPipes(directory: string, uid: number | null): Promise<{ out: Pipe; err: Pipe }> {
  const paths = [join(directory, 'out.pipe'), join(directory, 'err.pipe')] as const;
  for (const path of paths) rmSync(path, { force: true });
  await promisify(execFile)('mkfifo', ['-m', '600', ...paths]);
  return { out: openPipe(paths[0], uid), err: openPipe(paths[1], uid) };
}

function openPipe(path: string, uid: number | null): Pipe {
  if (uid !== null) chownSync(path, uid, uid);
  const readFd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writeFd = openSync(path, constants.O_WRONLY);
  rmSync(path);
  return {
    writeFd,
    stream: new Socket({ fd: readFd, readable: true, writable: false }),
    closeWriteEnd: () => closeSync(writeFd),
  };
}
