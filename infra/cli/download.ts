import { createHash } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from './failure.ts';
import { storeIsAway } from './signed-url.ts';

const maxFailures = 6;
const firstPauseMs = 500;

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
export async function download(what: string, { file, sha256, open: ask, advance }: Wanted): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const partial = `${file}.part`;
  const hash = createHash('sha256');
  const part = await open(partial, 'w');
  try {
    let arrived = 0;
    for (let failures = 0; ;) {
      const before = arrived;
      try {
        for await (const bytes of (await ask(arrived)).body ?? []) {
          // Counted once it is in the file: a connection that breaks must not take with it what is still on its way there.
          await part.writeFile(bytes);
          hash.update(bytes);
          arrived += bytes.length;
          advance(bytes.length);
        }
        break;
      } catch (error) {
        failures = arrived > before ? 1 : failures + 1;
        if (!isBroken(error) || failures === maxFailures) throw error;
        await sleep(firstPauseMs * 2 ** (failures - 1));
      }
    }
    await part.close();
    if (hash.digest('hex') !== sha256)
      throw new Failure(`${what} did not arrive as it was kept: its checksum differs.`, {
        next: 'run the command again',
      });
    await rename(partial, file);
  } finally {
    await part.close();
    await rm(partial, { force: true });
  }
}

/** A connection that broke, as fetch says it, or a store that is away for now. */
function isBroken(error: unknown): boolean {
  return storeIsAway(error) || (error instanceof TypeError && error.message === 'terminated');
}
