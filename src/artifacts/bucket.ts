/** What a bucket knows of an object; the MD5 in hexadecimal, since Cloud Storage keeps no SHA-256. */
export type ObjectInfo = { sizeBytes: number; md5: string };

/**
 * A place for bytes, one file for each kind: the file system and Google Cloud Storage. Keys are ours (`names.ts`) and
 * hold no name that a tenant chose. An object that is complete is never replaced, only removed.
 */
export type Bucket = {
  name: string;
  /** A session in Cloud Storage's resumable protocol, to PUT exactly `sizeBytes` to; undefined: the size is not known before. */
  createUploadUrl: (key: string, options: { sizeBytes: number | undefined; expiresAt: Date }) => Promise<string>;
  /** Needs no key; serves the bytes as an attachment of that file name. */
  createDownloadUrl: (key: string, options: { fileName: string; expiresAt: Date }) => Promise<string>;
  /** Undefined where it is not there, or not complete yet. */
  stat: (key: string) => Promise<ObjectInfo | undefined>;
  /** Success where it is gone. */
  remove: (key: string) => Promise<void>;
  /** Drops what was sent to upload URLs that nobody finished since `before`. */
  discardUnfinished: (before: Date) => Promise<void>;
  isReady: () => Promise<boolean>;
};
