import type { Readable } from 'node:stream';

/** What a bucket knows of an object. Cloud Storage has no SHA-256; both know the MD5. */
export type ObjectInfo = { sizeBytes: number; md5: string };

/**
 * A place for bytes, one file for each kind: the file system and Google Cloud Storage. Keys are ours and never hold a
 * name that a tenant chose as it is.
 */
export type Bucket = {
  name: string;
  /** A session in Cloud Storage's resumable protocol, to PUT exactly `sizeBytes` to; undefined size: not known before. */
  createUploadUrl: (key: string, options: { sizeBytes?: number; expiresAt: Date }) => Promise<string>;
  /** Needs no key; serves the bytes as an attachment of that file name. */
  createDownloadUrl: (key: string, options: { fileName: string; expiresAt: Date }) => Promise<string>;
  /** Undefined where it is not there, or not complete yet. */
  stat: (key: string) => Promise<ObjectInfo | undefined>;
  read: (key: string) => Readable;
  /** Success where it is gone. */
  remove: (key: string) => Promise<void>;
  isReady: () => Promise<boolean>;
};
