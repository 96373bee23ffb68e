import { startObjectServer } from './object-server.ts';

/** A program: serves a bucket and prints the URLs of one object, for `transfer.ts` to watch its memory. */
const { bucket, close } = await startObjectServer();
const key = 'tenants/tnt_a/uploads/upl_large';
const expiresAt = new Date(Date.now() + 600_000);
process.stdout.write(
  `${JSON.stringify({
    upload: await bucket.createUploadUrl(key, { sizeBytes: undefined, expiresAt }),
    download: await bucket.createDownloadUrl(key, { fileName: 'large.bin', expiresAt }),
  })}\n`,
);
process.once('SIGTERM', () => void close());
