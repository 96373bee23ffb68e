import { createHash } from 'node:crypto';
import { mkdir, open, rename, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Away, Failure } from './failure.ts';
import { createPatience } from './patience.ts';
import { removingAfter } from './remove-after.ts';

export type Wanted = {
  file: string;
  sha256: string;
  /** Asks for the bytes from this one on. */
  open: (from: number) => Promise<Response>;
  /** Hears how many bytes more have arrived. */
  advance: (bytes: number) => void;
};

/**
 * Fetches a file, and goes on where a broken connection left it. The file has its name once all its bytes are there and are the right
 * ones.
 */
export async function download(what: string, wanted: Wanted): Promise<void> {
  const partial = `${wanted.file}.part`;
  await mkdir(dirname(partial), { recursive: true });
  await removingAfter(partial, async () => {
    const part = await open(partial, 'w');
    try {
      const sha256 = await fetchInto(part, wanted);
      if (sha256 !== wanted.sha256)
        throw new Failure(`${what} did not arrive as it was kept: its checksum differs.`, {
          next: 'run the command again',
        });
    } finally {
      await part.close();
    }
    await rename(partial, wanted.file);
  });
}

/** Answers the checksum of what has arrived. */
async function fetchInto(part: FileHandle, { open: ask, advance }: Wanted): Promise<string> {
  const hash = createHash('sha256');
  let arrived = 0;
  const patience = createPatience();
  for (;;) {
    const before = arrived;
    try {
      for await (const bytes of (await ask(arrived)).body ?? []) {
        // Counted once it is in the file: a connection that breaks must not take with it what is still on its way there.
        await part.writeFile(bytes);
        hash.update(bytes);
        arrived += bytes.length;
        advance(bytes.length);
      }
      return hash.digest('hex');
    } catch (error) {
      if (arrived > before) patience.renew();
      await patience.outlast(
        isBroken(error) ? new Away(`The connection broke at ${arrived} bytes.`, { cause: error }) : error,
      );
    }
  }
}

/** As fetch says that a connection broke. */
function isBroken(error: unknown): boolean {
  return error instanceof TypeError && error.message === 'terminated';
}
