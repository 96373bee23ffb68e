import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Clock } from '../core/time.ts';
import type { Bucket } from './bucket.ts';
import { createDiskFloor } from './disk-floor.ts';
import { createObjectFiles } from './object-files.ts';
import { createResumableUploads, type Received } from './resumable-upload.ts';
import { createSigner, type Claims } from './signed-url.ts';

/** The query of an upload URL, as `createUploadUrl` made it. */
export type UploadQuery = {
  key: string;
  session: string;
  size: string;
  sha256: string;
  expires: string;
  signature: string;
};

/** The query of a download URL; the key is its path. */
export type DownloadQuery = { name: string; expires: string; signature: string };

/** A folder as a bucket. Its URLs are served by the API: `http/routes/objects.ts`. */
export type FilesystemBucket = Bucket & {
  /** Answers a PUT to an upload URL. @throws WeirError `forbidden`, `expired`, `invalid`, `too-large`, `checksum-mismatch`, `storage-refused`, `unavailable` */
  receive: (query: UploadQuery, contentRange: string | undefined, body: Readable) => Promise<Received>;
  /** The file behind a download URL. @throws WeirError `forbidden`, `expired` */
  locate: (key: string, query: DownloadQuery) => string;
};

export type FilesystemOptions = {
  directory: string;
  publicUrl: string;
  secretKey: Buffer;
  now: Clock;
  /** So much of its disk stays free. Left out: a gibibyte, or a twentieth of a small one. */
  leastFreeBytes?: number;
};

export function createFilesystemBucket(options: FilesystemOptions): FilesystemBucket {
  const { directory, publicUrl, secretKey, now, leastFreeBytes } = options;
  const signer = createSigner(secretKey);
  const requireRoom = createDiskFloor(directory, leastFreeBytes);
  const objects = createObjectFiles(join(directory, 'objects'));
  const uploads = createResumableUploads(join(directory, 'unfinished'), objects, requireRoom);
  const base = `${publicUrl.replace(/\/+$/, '')}/v1/objects`;

  return {
    name: 'filesystem',
    createUploadUrl: async (key, { sizeBytes, sha256 = '', expiresAt }) => {
      await requireRoom(sizeBytes ?? 0);
      const size = String(sizeBytes ?? '');
      const query = { key, session: randomUUID(), size, sha256, expires: secondsOf(expiresAt) };
      const signature = signer.sign(uploadClaims(query));
      return `${base}/upload?${new URLSearchParams({ ...query, signature })}`;
    },
    createDownloadUrl: async (key, { fileName, expiresAt }) => {
      const query = { name: fileName.toWellFormed(), expires: secondsOf(expiresAt) };
      const signature = signer.sign(downloadClaims(key, query));
      return `${base}/${key}?${new URLSearchParams({ ...query, signature })}`;
    },
    receive: async (query, contentRange, body) => {
      signer.require(uploadClaims(query), query.signature, now());
      const sizeBytes = query.size === '' ? undefined : Number(query.size);
      const sha256 = query.sha256 === '' ? undefined : query.sha256;
      return uploads.receive({ id: query.session, key: query.key, sizeBytes, sha256 }, contentRange, body);
    },
    locate: (key, query) => {
      signer.require(downloadClaims(key, query), query.signature, now());
      return objects.pathOf(key);
    },
    write: async (key, bytes) => {
      await requireRoom(bytes.length);
      await objects.write(key, bytes);
    },
    read: objects.read,
    stat: objects.stat,
    remove: objects.remove,
    discardUnfinished: uploads.discardUnfinished,
    isReady: objects.isReady,
  };
}

function uploadClaims({ key, session, size, sha256, expires }: Omit<UploadQuery, 'signature'>): Claims {
  return { purpose: 'upload', key, session, size, sha256, expires };
}

function downloadClaims(key: string, { name, expires }: Omit<DownloadQuery, 'signature'>): Claims {
  return { purpose: 'download', key, name, expires };
}

function secondsOf(time: Date): string {
  return String(Math.ceil(time.getTime() / 1000));
}
