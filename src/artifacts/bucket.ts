/** What a bucket knows of an object; the MD5 in hexadecimal, since Cloud Storage keeps no SHA-256. */
export type ObjectInfo = { sizeBytes: number; md5: string };

/** Objects whose key ends so are removed so many days after they were made. */
export type LifecycleRule = { suffix: string; days: number };

export type Span = { offset: number; length: number };

/**
 * What is to come, as far as that is known before. Other bytes are refused at their PUT; but Cloud Storage can't compute a
 * SHA-256, so there they are found out when a runner fetches them.
 */
export type Announced = { sizeBytes: number | undefined; sha256?: string | undefined };

/**
 * A place for bytes, one file for each kind: the file system and Google Cloud Storage. Keys are ours (`names.ts`) and
 * hold no name that a tenant chose. An object that is complete is never replaced, only removed.
 */
export type Bucket = {
  name: string;
  /** Where its URLs lead, such as https://storage.googleapis.com. Left out: to weir itself. */
  origin?: string;
  /** A session in Cloud Storage's resumable protocol, to PUT what was announced to. */
  createUploadUrl: (key: string, options: Announced & { expiresAt: Date }) => Promise<string>;
  /** Needs no key; serves the bytes as an attachment of that file name. */
  createDownloadUrl: (key: string, options: { fileName: string; expiresAt: Date }) => Promise<string>;
  /** Puts an object of weir's own there at once; the same again is the same. */
  write: (key: string, bytes: Buffer) => Promise<void>;
  /** Some bytes of an object. @throws WeirError, also where it is not there. */
  read: (key: string, span: Span) => Promise<Buffer>;
  /** Undefined where it is not there, or not complete yet. */
  stat: (key: string) => Promise<ObjectInfo | undefined>;
  /** Success where it is gone. */
  remove: (key: string) => Promise<void>;
  /** Drops what was sent to upload URLs that nobody finished since `before`. */
  discardUnfinished: (before: Date) => Promise<void>;
  /** Where the store can remove by age on its own: has it do so by these rules and none of ours before. */
  applyLifecycle?: (rules: LifecycleRule[]) => Promise<void>;
  isReady: () => Promise<boolean>;
};
