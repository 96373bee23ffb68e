import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';

/** The MD5 of the first so many bytes of a file that grows. */
export type Digest = { hash: Hash; bytes: number };

export type Digests = {
  /** Takes the digest of the file's first bytes out, to go on with it. */
  take: (path: string, bytes: number) => Promise<Digest>;
  keep: (path: string, digest: Digest) => void;
};

const maxKept = 1000;

/** Digests in the middle of their work. They can't be stored: what a restart or too many others lost is computed anew. */
export function createDigests(): Digests {
  const digests = new Map<string, Digest>();
  return {
    take: async (path, bytes) => {
      const kept = digests.get(path);
      digests.delete(path);
      return kept?.bytes === bytes ? kept : { hash: await hashOf(path, bytes), bytes };
    },
    keep: (path, digest) => {
      const oldest = digests.size < maxKept ? undefined : digests.keys().next().value;
      if (oldest !== undefined) digests.delete(oldest);
      digests.set(path, digest);
    },
  };
}

async function hashOf(path: string, bytes: number): Promise<Hash> {
  const hash = createHash('md5');
  if (bytes > 0) await pipeline(createReadStream(path, { end: bytes - 1 }), hash, { end: false });
  return hash;
}
