import { createHash, type Hash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
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
export async function download(what: string, { file, sha256, open, advance }: Wanted): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const partial = `${file}.part`;
  const hash = createHash('sha256');
  try {
    let arrived = 0;
    const count = (bytes: number) => {
      arrived += bytes;
      advance(bytes);
    };
    for (let failures = 0; ;) {
      const before = arrived;
      try {
        const { body } = await open(arrived);
        const bytes = body === null ? Readable.from([]) : Readable.from(body);
        await pipeline(bytes, watching(hash, count), createWriteStream(partial, { flags: arrived === 0 ? 'w' : 'a' }));
        break;
      } catch (error) {
        failures = arrived > before ? 1 : failures + 1;
        if (!isBroken(error) || failures === maxFailures) throw error;
        await sleep(firstPauseMs * 2 ** (failures - 1));
      }
    }
    if (hash.digest('hex') !== sha256)
      throw new Failure(`${what} did not arrive as it was kept: its checksum differs.`, {
        next: 'run the command again',
      });
    await rename(partial, file);
  } finally {
    await rm(partial, { force: true });
  }
}

function watching(hash: Hash, count: (bytes: number) => void): Transform {
  return new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      hash.update(chunk);
      count(chunk.length);
      done(null, chunk);
    },
  });
}

/** A connection that broke, as fetch says it, or a store that is away for now. */
function isBroken(error: unknown): boolean {
  return storeIsAway(error) || (error instanceof TypeError && error.message === 'terminated');
}
