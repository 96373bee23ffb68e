import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';

/** The checksums of the first so many bytes of a file that grows; SHA-256 only where it is asked for. */
export type Digest = { md5: Hash; sha256: Hash | undefined; bytes: number };

export type Digests = {
  /** Takes the digest of the file's first bytes out, to go on with it. */
  take: (path: string, bytes: number, withSha256: boolean) => Promise<Digest>;
  keep: (path: string, digest: Digest) => void;
};

const maxKept = 1000;

/** Digests in the middle of their work. They can't be stored: what a restart or too many others lost is computed anew. */
export function createDigests(): Digests {
  const digests = new Map<string, Digest>();
  return {
    take: async (path, bytes, withSha256) => {
      const kept = digests.get(path);
      digests.delete(path);
      return kept?.bytes === bytes ? kept : digestOf(path, bytes, withSha256);
    },
    keep: (path, digest) => {
      const oldest = digests.size < maxKept ? undefined : digests.keys().next().value;
      if (oldest !== undefined) digests.delete(oldest);
      digests.set(path, digest);
    },
  };
}

export function addTo(digest: Digest, chunk: Buffer): void {
  digest.md5.update(chunk);
  digest.sha256?.update(chunk);
  digest.bytes += chunk.length;
}

async function digestOf(path: string, bytes: number, withSha256: boolean): Promise<Digest> {
  const digest = { md5: createHash('md5'), sha256: withSha256 ? createHash('sha256') : undefined, bytes: 0 };
  if (bytes === 0) return digest;
  for await (const chunk of createReadStream(path, { end: bytes - 1 }) as AsyncIterable<Buffer>) addTo(digest, chunk);
  return digest;
}
