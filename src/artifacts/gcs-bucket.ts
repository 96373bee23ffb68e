import { isDeepStrictEqual } from 'node:util';
import type { ApiError, LifecycleRule as StoredRule, StorageOptions } from '@google-cloud/storage';
import { WeirError } from '../core/errors.ts';
import { openGoogleAuth, passingAuth } from '../providers/google-auth.ts';
import type { Bucket, LifecycleRule } from './bucket.ts';
import { attachmentOf, keySuffixes } from './names.ts';

export type GcsOptions = {
  name: string;
  projectId?: string;
  apiEndpoint?: string;
  keyFile?: string;
  /** `projects/P/locations/L/keyRings/R/cryptoKeys/K`: what new objects are encrypted with instead of Google's own keys. */
  kmsKey?: string;
};

/** Signatures of version 4 hold no longer. */
const longestSignedMs = 7 * 86_400_000;

/**
 * A bucket of Google Cloud Storage. Credentials are the key file's or, without one, the machine's own (Application Default
 * Credentials), whose service account then signs download URLs through IAM and needs `iam.serviceAccounts.signBlob`.
 *
 * An upload URL is a session of Cloud Storage's, which lasts a week whatever `expiresAt` says; it can only ever make an
 * object that is not there yet. Cloud Storage drops unfinished sessions itself.
 */
export async function createGcsBucket(options: GcsOptions): Promise<Bucket> {
  const { Storage } = await import('@google-cloud/storage');
  const bucket = new Storage(await storageOptions(options)).bucket(options.name);
  const asked = createAsked(options.name);
  const encryption = options.kmsKey === undefined ? {} : { kmsKeyName: options.kmsKey };
  const create = { preconditionOpts: { ifGenerationMatch: 0 } };

  return {
    name: options.name,
    origin: new URL(options.apiEndpoint ?? 'https://storage.googleapis.com').origin,
    createUploadUrl: async (key, { sizeBytes }) => {
      const contentLength = sizeBytes === undefined ? {} : { contentLength: sizeBytes };
      const [url] = await asked(
        bucket.file(key, encryption).createResumableUpload({
          metadata: { contentType: 'application/octet-stream', ...contentLength },
          ...create,
        }),
      );
      return url;
    },
    createDownloadUrl: async (key, { fileName, expiresAt }) => {
      const responseDisposition = attachmentOf(fileName);
      const expires = Math.min(expiresAt.getTime(), Date.now() + longestSignedMs);
      const [url] = await asked(
        bucket.file(key).getSignedUrl({ version: 'v4', action: 'read', expires, responseDisposition }),
      );
      return url;
    },
    write: async (key, bytes) => {
      const options = { ...create, resumable: false, validation: 'crc32c' as const };
      await asked(unless(preconditionFailed, bucket.file(key, encryption).save(bytes, options)));
    },
    read: async (key, { offset, length }) => {
      const [bytes] = await asked(bucket.file(key).download({ start: offset, end: offset + length - 1 }));
      return bytes;
    },
    stat: async (key) => {
      const answer = await asked(unless(notFound, bucket.file(key).getMetadata()));
      if (answer === undefined) return undefined;
      const [{ size, md5Hash }] = answer;
      return { sizeBytes: Number(size), md5: Buffer.from(md5Hash ?? '', 'base64').toString('hex') };
    },
    remove: async (key) => {
      await asked(bucket.file(key).delete({ ignoreNotFound: true }));
    },
    discardUnfinished: async () => undefined,
    applyLifecycle: async (rules) => {
      const [{ lifecycle }] = await asked(bucket.getMetadata());
      const before = lifecycle?.rule ?? [];
      const rule = [...before.filter((one) => !isOurs(one)), ...rules.map(lifecycleRule)];
      if (!isDeepStrictEqual(rule, before)) await asked(bucket.setMetadata({ lifecycle: { rule } }));
    },
    isReady: () =>
      bucket.exists().then(
        ([isThere]) => isThere,
        () => false,
      ),
  };
}

function lifecycleRule({ suffix, days }: LifecycleRule): StoredRule {
  return { action: { type: 'Delete' }, condition: { age: days, matchesSuffix: [suffix] } };
}

/** Rules that an operator made for the same bucket stay. */
function isOurs({ condition }: StoredRule): boolean {
  const suffixes = condition.matchesSuffix ?? [];
  return suffixes.length === 1 && Object.values<string>(keySuffixes).includes(suffixes[0] ?? '');
}

const scopes = ['https://www.googleapis.com/auth/cloud-platform'];

async function storageOptions({ projectId, apiEndpoint, keyFile }: GcsOptions): Promise<StorageOptions> {
  // An emulator looks at no signature, but Google's client signs download URLs only with a key.
  const isEmulator = apiEndpoint !== undefined && keyFile === undefined;
  return {
    ...(projectId === undefined ? {} : { projectId }),
    ...(apiEndpoint === undefined ? {} : { apiEndpoint }),
    authClient: isEmulator ? await passingAuth(scopes) : await openGoogleAuth({ keyFile, projectId, scopes }),
  };
}

/** Waits for an answer about a bucket. @throws WeirError `storage-refused` until an operator has changed something, else `unavailable` */
function createAsked(name: string) {
  return async <T>(answer: Promise<T>): Promise<T> => {
    try {
      return await answer;
    } catch (cause) {
      const refusal = refusalOf((cause as ApiError).code, name);
      if (refusal === undefined)
        throw new WeirError('unavailable', 'The object store did not answer as it should. Try again in a moment.', {
          cause,
        });
      throw new WeirError('storage-refused', toTenants, { cause: new Error(refusal, { cause }) });
    }
  };
}

const toTenants =
  'The storage of this service neither takes nor gives files until its operator has put it right. What was stored before stays.';

/** For the operator's log. */
function refusalOf(status: number | undefined, name: string): string | undefined {
  if (status === 401)
    return 'Cloud Storage does not take the credentials that weir has. An operator checks GOOGLE_APPLICATION_CREDENTIALS, or bucket.keyFile.';
  if (status === 403)
    return `Cloud Storage does not let weir use the bucket ${name}: it is another project's, or a permission is missing. An operator grants weir's service account Storage Object Admin on it, with storage.buckets.get and storage.buckets.update, or names another bucket.`;
  if (status === notFound)
    return `Cloud Storage has no bucket ${name}, or not what was asked for in it. An operator checks the bucket's name.`;
  return undefined;
}

const notFound = 404;
const preconditionFailed = 412;

/** Undefined where the answer is that status. */
async function unless<T>(status: number, answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if ((error as ApiError).code === status) return undefined;
    throw error;
  }
}
