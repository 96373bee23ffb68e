import { generateKeyPairSync } from 'node:crypto';
import type { ApiError, StorageOptions } from '@google-cloud/storage';
import { WeirError } from '../core/errors.ts';
import type { Bucket } from './bucket.ts';
import { attachmentOf } from './names.ts';

export type GcsOptions = { name: string; projectId?: string; apiEndpoint?: string; keyFile?: string };

/**
 * A bucket of Google Cloud Storage. Credentials are the key file's or, without one, the machine's own (Application Default
 * Credentials), whose service account then signs download URLs through IAM and needs `iam.serviceAccounts.signBlob`.
 *
 * An upload URL is a session of Cloud Storage's, which lasts a week whatever `expiresAt` says; it can only ever make an
 * object that is not there yet. Cloud Storage drops unfinished sessions itself.
 */
export async function createGcsBucket(options: GcsOptions): Promise<Bucket> {
  const { Storage } = await import('@google-cloud/storage');
  const bucket = new Storage(storageOptions(options)).bucket(options.name);

  return {
    name: options.name,
    createUploadUrl: async (key, { sizeBytes }) => {
      const contentLength = sizeBytes === undefined ? {} : { contentLength: sizeBytes };
      const [url] = await asked(
        bucket.file(key).createResumableUpload({
          metadata: { contentType: 'application/octet-stream', ...contentLength },
          preconditionOpts: { ifGenerationMatch: 0 },
        }),
      );
      return url;
    },
    createDownloadUrl: async (key, { fileName, expiresAt }) => {
      const responseDisposition = attachmentOf(fileName);
      const [url] = await asked(
        bucket.file(key).getSignedUrl({ version: 'v4', action: 'read', expires: expiresAt, responseDisposition }),
      );
      return url;
    },
    stat: async (key) => {
      const answer = await asked(unlessGone(bucket.file(key).getMetadata()));
      if (answer === undefined) return undefined;
      const [{ size, md5Hash }] = answer;
      return { sizeBytes: Number(size), md5: Buffer.from(md5Hash ?? '', 'base64').toString('hex') };
    },
    remove: async (key) => {
      await asked(bucket.file(key).delete({ ignoreNotFound: true }));
    },
    discardUnfinished: async () => undefined,
    isReady: () =>
      bucket.exists().then(
        ([isThere]) => isThere,
        () => false,
      ),
  };
}

function storageOptions({ projectId, apiEndpoint, keyFile }: GcsOptions): StorageOptions {
  return {
    ...(projectId === undefined ? {} : { projectId }),
    ...(apiEndpoint === undefined ? {} : { apiEndpoint }),
    ...(keyFile === undefined ? {} : { keyFilename: keyFile }),
    // An emulator looks at no signature, but Google's client signs download URLs only with a key.
    ...(apiEndpoint !== undefined && keyFile === undefined ? { credentials: passingCredentials() } : {}),
  };
}

function passingCredentials(): { client_email: string; private_key: string } {
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  return { client_email: 'weir@emulator.invalid', private_key: privateKey };
}

async function asked<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (cause) {
    throw new WeirError('unavailable', 'The object store did not answer as it should. Try again in a moment.', {
      cause,
    });
  }
}

async function unlessGone<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if ((error as ApiError).code === 404) return undefined;
    throw error;
  }
}
