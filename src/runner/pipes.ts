import { execFile, spawn } from 'node:child_process';
import { chownSync, closeSync, constants, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { systemProgram } from './system-program.ts';

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
  const pipes = { out: openPipe(paths[0], uid), err: openPipe(paths[1], uid) };
  enlarge(pipes.out.writeFd, pipes.err.writeFd);
  return pipes;
}

/**
 * Gives the pipes 1 MiB in place of 64 KiB, so that a job that prints much at once does not wait for its reader. Node has no
 * fcntl; where there is no perl either, the job waits.
 */
function enlarge(out: number, err: number): void {
  const perl = systemProgram('perl');
  if (perl === undefined) return;
  const setSize = 'fcntl($_, 1031, 1048576) for *STDOUT, *STDERR';
  spawn(perl, ['-e', setSize], { stdio: ['ignore', out, err], env: {} }).on('error', () => undefined);
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
